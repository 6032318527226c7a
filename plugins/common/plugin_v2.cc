#include "plugin_v2.h"

#include <cstring>

namespace tensorrt_node {
namespace {

/** The node's own name in messages: "CustomPRelu 'act_3'". */
std::string whereOf(OperatorKind const& kind, TensorName const* name) {
  return std::string(kind.name) + " '" + (name == nullptr ? "" : name) + "'";
}

}  // namespace

nvinfer1::IPluginV2DynamicExt* PluginV2::clone() const noexcept {
  return guarded<nvinfer1::IPluginV2DynamicExt*>(
      kind_.name, nullptr, [&] { return new PluginV2(kind_, operator_->clone(), namespace_); });
}

int32_t PluginV2::getNbOutputs() const noexcept {
  return guarded(kind_.name, int32_t{0}, [&] { return operator_->outputCount(); });
}

int32_t PluginV2::initialize() noexcept {
  return guarded(kind_.name, int32_t{1}, [&] {
    operator_->prepare();
    return int32_t{0};
  });
}

std::vector<uint8_t> PluginV2::serialized() const {
  Writer writer(kind_.name);
  operator_->serialize(writer);
  return writer.bytes();
}

size_t PluginV2::getSerializationSize() const noexcept {
  return guarded(kind_.name, size_t{0}, [&] { return serialized().size(); });
}

void PluginV2::serialize(void* buffer) const noexcept {
  guarded(kind_.name, 0, [&] {
    auto const bytes = serialized();
    std::memcpy(buffer, bytes.data(), bytes.size());
    return 0;
  });
}

void PluginV2::setPluginNamespace(TensorName const* space) noexcept {
  guarded(kind_.name, 0, [&] {
    namespace_ = space == nullptr ? "" : space;
    return 0;
  });
}

nvinfer1::DataType PluginV2::getOutputDataType(int32_t index, nvinfer1::DataType const* types,
                                               int32_t count) const noexcept {
  return guarded(kind_.name, nvinfer1::DataType::kFLOAT,
                 [&] { return operator_->outputType(index, types, count); });
}

nvinfer1::DimsExprs PluginV2::getOutputDimensions(int32_t index, nvinfer1::DimsExprs const* inputs,
                                                  int32_t count, nvinfer1::IExprBuilder& builder) noexcept {
  nvinfer1::DimsExprs failure{};
  failure.nbDims = -1;
  return guarded(kind_.name, failure, [&] { return operator_->outputShape(index, inputs, count, builder); });
}

bool PluginV2::supportsFormatCombination(int32_t position, nvinfer1::PluginTensorDesc const* tensors,
                                         int32_t inputs, int32_t outputs) noexcept {
  return guarded(kind_.name, false, [&] { return operator_->supports(position, tensors, inputs, outputs); });
}

void PluginV2::configurePlugin(nvinfer1::DynamicPluginTensorDesc const* inputs, int32_t inputCount,
                               nvinfer1::DynamicPluginTensorDesc const*, int32_t) noexcept {
  guarded(kind_.name, 0, [&] {
    std::vector<nvinfer1::PluginTensorDesc> descriptions;
    for (int32_t i = 0; i < inputCount; ++i) descriptions.push_back(inputs[i].desc);
    operator_->configure(descriptions.data(), inputCount);
    return 0;
  });
}

int32_t PluginV2::enqueue(nvinfer1::PluginTensorDesc const* inputs, nvinfer1::PluginTensorDesc const* outputs,
                          void const* const* inputData, void* const* outputData, void*,
                          cudaStream_t stream) noexcept {
  return guarded(kind_.name, int32_t{1}, [&] {
    cudaError_t const error = operator_->enqueue(inputs, outputs, inputData, outputData, stream);
    if (error != cudaSuccess)
      throw PluginError(std::string("launching failed: ") + cudaGetErrorString(error));
    return int32_t{0};
  });
}

CreatorV2::CreatorV2(OperatorKind const& kind) : kind_(kind) {
  fields_.nbFields = static_cast<int32_t>(kind.fields.size());
  fields_.fields = kind.fields.data();
}

nvinfer1::IPluginV2* CreatorV2::createPlugin(TensorName const* name,
                                             nvinfer1::PluginFieldCollection const* fields) noexcept {
  return guarded<nvinfer1::IPluginV2*>(kind_.name, nullptr, [&]() -> nvinfer1::IPluginV2* {
    std::string const where = whereOf(kind_, name);
    return guarded<nvinfer1::IPluginV2*>(where.c_str(), nullptr, [&]() -> nvinfer1::IPluginV2* {
      return new PluginV2(kind_, kind_.create(FieldReader(fields, kind_.fields)), namespace_);
    });
  });
}

nvinfer1::IPluginV2* CreatorV2::deserializePlugin(TensorName const* name, void const* data,
                                                  size_t size) noexcept {
  return guarded<nvinfer1::IPluginV2*>(kind_.name, nullptr, [&]() -> nvinfer1::IPluginV2* {
    std::string const where = whereOf(kind_, name);
    return guarded<nvinfer1::IPluginV2*>(where.c_str(), nullptr, [&]() -> nvinfer1::IPluginV2* {
      Reader reader(kind_.name, data, size);
      auto work = kind_.restore(reader);
      reader.finish();
      return new PluginV2(kind_, std::move(work), namespace_);
    });
  });
}

void CreatorV2::setPluginNamespace(TensorName const* space) noexcept {
  guarded(kind_.name, 0, [&] {
    namespace_ = space == nullptr ? "" : space;
    return 0;
  });
}

}  // namespace tensorrt_node
