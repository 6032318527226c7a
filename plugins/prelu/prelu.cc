#include "prelu.h"

#include "../common/device_weights.h"
#include "kernel.h"

namespace tensorrt_node {
namespace {

using nvinfer1::DataType;
using nvinfer1::PluginFieldType;
using nvinfer1::PluginTensorDesc;
using nvinfer1::TensorFormat;

constexpr char const* kName = "CustomPRelu";

class Prelu final : public Operator {
 public:
  explicit Prelu(FieldReader const& fields) {
    if (auto values = fields.reals("slope")) slope_.emplace(std::move(*values));
  }

  explicit Prelu(Reader& reader) : type_(static_cast<DataType>(reader.readInt32())) {
    if (reader.readBool()) slope_.emplace(reader.readFloats());
  }

  std::unique_ptr<Operator> clone() const override { return std::make_unique<Prelu>(*this); }

  int32_t outputCount() const override { return 1; }

  DataType outputType(int32_t, DataType const* inputs, int32_t) const override { return inputs[0]; }

  nvinfer1::DimsExprs outputShape(int32_t, nvinfer1::DimsExprs const* inputs, int32_t count,
                                  nvinfer1::IExprBuilder&) const override {
    checkInputs(count);
    return inputs[0];
  }

  bool supports(int32_t position, PluginTensorDesc const* tensors, int32_t inputs, int32_t) const override {
    PluginTensorDesc const& x = tensors[0];
    PluginTensorDesc const& tensor = tensors[position];
    if (position == 0) {
      if (x.format == TensorFormat::kHWC8) {
        // Its vector dimension is the third to last: the channels, which are dimension 1, of four alone.
        Shape const dims = shapeOf(x.dims);
        return x.type == DataType::kHALF && dims.rank == 4 && slopeIsByChannel(dims, slopeShape(tensors));
      }
      return x.format == TensorFormat::kLINEAR && isElementType(x.type);
    }
    if (tensor.type != x.type) return false;
    return tensor.format == (position < inputs ? TensorFormat::kLINEAR : x.format);
  }

  void configure(PluginTensorDesc const* inputs, int32_t count) override {
    checkInputs(count);
    if (!isElementType(inputs[0].type))
      throw PluginError("expected an input of float32, float16 or bfloat16");
    type_ = inputs[0].type;
    checkSlope(inputs);
  }

  void prepare() override {
    if (slope_) slope_->upload(type_);
  }

  void release() noexcept override {
    if (slope_) slope_->release();
  }

  cudaError_t enqueue(PluginTensorDesc const* inputs, PluginTensorDesc const*, void const* const* inputData,
                      void* const* outputData, cudaStream_t stream) const override {
    checkSlope(inputs);
    PreluArguments arguments{};
    arguments.type = elementType(inputs[0].type);
    arguments.channelsLast = inputs[0].format == TensorFormat::kHWC8;
    arguments.x = inputData[0];
    arguments.slope = slope_ ? slope_->device(inputs[0].type) : inputData[1];
    arguments.y = outputData[0];
    arguments.dims = shapeOf(inputs[0].dims);
    arguments.slopeDims = slopeShape(inputs);
    return launchPrelu(arguments, stream);
  }

  void serialize(Writer& writer) const override {
    writer.writeInt32(static_cast<int32_t>(type_));
    writer.writeBool(slope_.has_value());
    if (slope_) writer.writeFloats(slope_->host());
  }

 private:
  void checkInputs(int32_t count) const {
    int32_t const expected = slope_ ? 1 : 2;
    if (count != expected) {
      throw PluginError("expected " + std::to_string(expected) +
                        (slope_ ? " input (X)" : " inputs (X, slope)") + ", got " + std::to_string(count));
    }
  }

  void checkSlope(PluginTensorDesc const* inputs) const {
    Shape const dims = shapeOf(inputs[0].dims), slope = slopeShape(inputs);
    if (slopeFits(dims, slope)) return;
    throw PluginError("the slope " + describe(slope) + " cannot be broadcast to the input " + describe(dims));
  }

  /** Of the input, or of a field's values: by channel where there is more than one. */
  Shape slopeShape(PluginTensorDesc const* tensors) const {
    if (!slope_) return shapeOf(tensors[1].dims);
    Shape shape{static_cast<int64_t>(slope_->host().size())};
    if (shape.count() == 1) return shape;
    while (shape.rank + 1 < tensors[0].dims.nbDims) shape.extent[shape.rank++] = 1;
    return shape;
  }

  DataType type_ = DataType::kFLOAT;
  std::optional<DeviceWeights> slope_;
};

}  // namespace

OperatorKind preluKind() {
  return {
      kName,
      {{"slope", nullptr, PluginFieldType::kFLOAT32, 0}},
      [](FieldReader const& fields) -> std::unique_ptr<Operator> { return std::make_unique<Prelu>(fields); },
      [](Reader& reader) -> std::unique_ptr<Operator> { return std::make_unique<Prelu>(reader); }};
}

}  // namespace tensorrt_node
