#include "layer_norm.h"

#include <climits>

#include "../common/device_weights.h"
#include "kernel.h"

namespace tensorrt_node {
namespace {

using nvinfer1::DataType;
using nvinfer1::PluginFieldType;
using nvinfer1::PluginTensorDesc;
using nvinfer1::TensorFormat;

constexpr char const* kName = "CustomLayerNormalization";
constexpr int32_t kStashFloat = 1;

/** A DeviceWeights that may not be there: then the tensor is an input. */
using OptionalWeights = std::optional<DeviceWeights>;

void writeWeights(Writer& writer, OptionalWeights const& weights) {
  writer.writeBool(weights.has_value());
  if (weights) writer.writeFloats(weights->host());
}

OptionalWeights readWeights(Reader& reader) {
  if (!reader.readBool()) return std::nullopt;
  return DeviceWeights(reader.readFloats());
}

OptionalWeights weightsOf(FieldReader const& fields, char const* name) {
  auto values = fields.reals(name);
  if (!values) return std::nullopt;
  return DeviceWeights(std::move(*values));
}

class LayerNorm final : public Operator {
 public:
  explicit LayerNorm(FieldReader const& fields)
      : axis_(fields.integer("axis", -1)),
        epsilon_(fields.real("epsilon", 1e-5f)),
        outputs_(fields.integer("outputs", 1)),
        scale_(weightsOf(fields, "scale")),
        bias_(weightsOf(fields, "bias")) {
    int32_t const stash = fields.integer("stash_type", kStashFloat);
    if (stash != kStashFloat) {
      throw PluginError("field 'stash_type': expected 1 (statistics in float32), got " +
                        std::to_string(stash));
    }
    check();
  }

  explicit LayerNorm(Reader& reader)
      : axis_(reader.readInt32()),
        epsilon_(reader.readFloat()),
        outputs_(reader.readInt32()),
        hasBiasInput_(reader.readBool()),
        type_(static_cast<DataType>(reader.readInt32())),
        scale_(readWeights(reader)),
        bias_(readWeights(reader)) {
    check();
  }

  std::unique_ptr<Operator> clone() const override { return std::make_unique<LayerNorm>(*this); }

  int32_t outputCount() const override { return outputs_; }

  DataType outputType(int32_t output, DataType const* inputs, int32_t) const override {
    return output == 0 ? inputs[0] : DataType::kFLOAT;
  }

  nvinfer1::DimsExprs outputShape(int32_t output, nvinfer1::DimsExprs const* inputs, int32_t count,
                                  nvinfer1::IExprBuilder& builder) const override {
    checkInputs(count);
    nvinfer1::DimsExprs shape = inputs[0];
    int32_t const axis = axisOf(shape.nbDims);
    for (int32_t d = axis; output > 0 && d < shape.nbDims; ++d) shape.d[d] = builder.constant(1);
    return shape;
  }

  bool supports(int32_t position, PluginTensorDesc const* tensors, int32_t inputs, int32_t) const override {
    PluginTensorDesc const& tensor = tensors[position];
    if (tensor.format != TensorFormat::kLINEAR) return false;
    if (position > inputs) return tensor.type == DataType::kFLOAT;
    if (position > 0) return tensor.type == tensors[0].type;
    return isElementType(tensor.type);
  }

  void configure(PluginTensorDesc const* inputs, int32_t count) override {
    checkInputs(count);
    if (!isElementType(inputs[0].type))
      throw PluginError("expected an input of float32, float16 or bfloat16");
    axisOf(inputs[0].dims.nbDims);
    type_ = inputs[0].type;
    hasBiasInput_ = !bias_ && count > expectedInputs() - 1;
  }

  void prepare() override {
    if (scale_) scale_->upload(type_);
    if (bias_) bias_->upload(type_);
  }

  void release() noexcept override {
    if (scale_) scale_->release();
    if (bias_) bias_->release();
  }

  cudaError_t enqueue(PluginTensorDesc const* inputs, PluginTensorDesc const*, void const* const* inputData,
                      void* const* outputData, cudaStream_t stream) const override {
    Shape const dims = shapeOf(inputs[0].dims);
    int32_t const axis = axisOf(dims.rank);
    int64_t rows = 1, columns = 1;
    for (int32_t d = 0; d < dims.rank; ++d) (d < axis ? rows : columns) *= dims.extent[d];
    if (columns > INT32_MAX) throw PluginError("rows of more than 2^31 elements: " + describe(dims));
    int32_t next = 1;
    DataType const type = inputs[0].type;
    LayerNormArguments arguments{};
    arguments.type = elementType(type);
    arguments.x = inputData[0];
    arguments.scale =
        scale_ ? weights(*scale_, "scale", columns, type) : input(inputs, inputData, next++, columns);
    if (bias_) {
      arguments.bias = weights(*bias_, "bias", columns, type);
    } else if (hasBiasInput_) {
      arguments.bias = input(inputs, inputData, next++, columns);
    }
    arguments.y = outputData[0];
    arguments.mean = outputs_ > 1 ? static_cast<float*>(outputData[1]) : nullptr;
    arguments.inverseDeviation = outputs_ > 2 ? static_cast<float*>(outputData[2]) : nullptr;
    arguments.rows = rows;
    arguments.columns = static_cast<int32_t>(columns);
    arguments.epsilon = epsilon_;
    return launchLayerNorm(arguments, stream);
  }

  void serialize(Writer& writer) const override {
    writer.writeInt32(axis_);
    writer.writeFloat(epsilon_);
    writer.writeInt32(outputs_);
    writer.writeBool(hasBiasInput_);
    writer.writeInt32(static_cast<int32_t>(type_));
    writeWeights(writer, scale_);
    writeWeights(writer, bias_);
  }

 private:
  void check() const {
    if (outputs_ < 1 || outputs_ > 3) {
      throw PluginError("field 'outputs': expected 1, 2 (Mean) or 3 (InvStdDev), got " +
                        std::to_string(outputs_));
    }
    if (!(epsilon_ >= 0.0f)) {
      throw PluginError("field 'epsilon': expected a number not below 0, got " + std::to_string(epsilon_));
    }
  }

  /** X, and those of Scale and B that are not fields. */
  int32_t expectedInputs() const { return 1 + (scale_ ? 0 : 1) + (bias_ ? 0 : 1); }

  void checkInputs(int32_t count) const {
    int32_t const most = expectedInputs(), least = most - (bias_ ? 0 : 1);
    if (count >= least && count <= most) return;
    throw PluginError("expected " + std::to_string(least) +
                      (least == most ? "" : " or " + std::to_string(most)) + " inputs (X" +
                      (scale_ ? "" : ", Scale") + (bias_ ? "" : ", B where there is one") + "), got " +
                      std::to_string(count));
  }

  int32_t axisOf(int32_t rank) const {
    int32_t const axis = axis_ < 0 ? axis_ + rank : axis_;
    if (axis < 0 || axis >= rank) {
      throw PluginError("field 'axis': expected " + std::to_string(-rank) + " to " +
                        std::to_string(rank - 1) + " for an input of rank " + std::to_string(rank) +
                        ", got " + std::to_string(axis_));
    }
    return axis;
  }

  static void const* weights(DeviceWeights const& weights, char const* name, int64_t columns, DataType type) {
    if (static_cast<int64_t>(weights.host().size()) != columns) {
      throw PluginError("field '" + std::string(name) + "': expected " + std::to_string(columns) +
                        " values, one for each element that is normalized over, got " +
                        std::to_string(weights.host().size()));
    }
    return weights.device(type);
  }

  static void const* input(PluginTensorDesc const* inputs, void const* const* data, int32_t index,
                           int64_t columns) {
    if (shapeOf(inputs[index].dims).count() != columns) {
      throw PluginError("input " + std::to_string(index) + ": expected " + std::to_string(columns) +
                        " values, one for each element that is normalized over, got the shape " +
                        describe(shapeOf(inputs[index].dims)));
    }
    return data[index];
  }

  int32_t axis_;
  float epsilon_;
  int32_t outputs_;
  bool hasBiasInput_ = false;
  DataType type_ = DataType::kFLOAT;
  OptionalWeights scale_;
  OptionalWeights bias_;
};

}  // namespace

OperatorKind layerNormKind() {
  return {kName,
          {{"axis", nullptr, PluginFieldType::kINT32, 1},
           {"epsilon", nullptr, PluginFieldType::kFLOAT32, 1},
           {"stash_type", nullptr, PluginFieldType::kINT32, 1},
           {"outputs", nullptr, PluginFieldType::kINT32, 1},
           {"scale", nullptr, PluginFieldType::kFLOAT32, 0},
           {"bias", nullptr, PluginFieldType::kFLOAT32, 0}},
          [](FieldReader const& fields) -> std::unique_ptr<Operator> {
            return std::make_unique<LayerNorm>(fields);
          },
          [](Reader& reader) -> std::unique_ptr<Operator> { return std::make_unique<LayerNorm>(reader); }};
}

}  // namespace tensorrt_node
