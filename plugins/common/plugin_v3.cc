#include "plugin_v3.h"

#if TENSORRT_NODE_HAS_PLUGIN_V3

#include <cstring>

namespace tensorrt_node {

using nvinfer1::PluginCapabilityType;

/** The one field of an engine's plugin: the same bytes that version "1" writes. */
constexpr char const* kStateField = "state";

nvinfer1::IPluginCapability* PluginV3::getCapabilityInterface(PluginCapabilityType type) noexcept {
  switch (type) {
    case PluginCapabilityType::kCORE:
      return static_cast<nvinfer1::IPluginV3OneCore*>(this);
    case PluginCapabilityType::kBUILD:
      return static_cast<nvinfer1::IPluginV3OneBuild*>(this);
    case PluginCapabilityType::kRUNTIME:
      return static_cast<nvinfer1::IPluginV3OneRuntime*>(this);
  }
  return nullptr;
}

nvinfer1::IPluginV3* PluginV3::clone() noexcept {
  return guarded<nvinfer1::IPluginV3*>(kind_.name, nullptr,
                                       [&] { return new PluginV3(kind_, operator_->clone()); });
}

int32_t PluginV3::configurePlugin(nvinfer1::DynamicPluginTensorDesc const* inputs, int32_t inputCount,
                                  nvinfer1::DynamicPluginTensorDesc const*, int32_t) noexcept {
  return guarded(kind_.name, int32_t{1}, [&] {
    std::vector<nvinfer1::PluginTensorDesc> descriptions;
    for (int32_t i = 0; i < inputCount; ++i) descriptions.push_back(inputs[i].desc);
    operator_->configure(descriptions.data(), inputCount);
    return int32_t{0};
  });
}

int32_t PluginV3::getOutputDataTypes(nvinfer1::DataType* outputs, int32_t outputCount,
                                     nvinfer1::DataType const* inputs, int32_t inputCount) const noexcept {
  return guarded(kind_.name, int32_t{1}, [&] {
    for (int32_t i = 0; i < outputCount; ++i) outputs[i] = operator_->outputType(i, inputs, inputCount);
    return int32_t{0};
  });
}

int32_t PluginV3::getOutputShapes(nvinfer1::DimsExprs const* inputs, int32_t inputCount,
                                  nvinfer1::DimsExprs const*, int32_t, nvinfer1::DimsExprs* outputs,
                                  int32_t outputCount, nvinfer1::IExprBuilder& builder) noexcept {
  return guarded(kind_.name, int32_t{1}, [&] {
    for (int32_t i = 0; i < outputCount; ++i)
      outputs[i] = operator_->outputShape(i, inputs, inputCount, builder);
    return int32_t{0};
  });
}

bool PluginV3::supportsFormatCombination(int32_t position, nvinfer1::DynamicPluginTensorDesc const* tensors,
                                         int32_t inputs, int32_t outputs) noexcept {
  return guarded(kind_.name, false, [&] {
    std::vector<nvinfer1::PluginTensorDesc> descriptions;
    for (int32_t i = 0; i < inputs + outputs; ++i) descriptions.push_back(tensors[i].desc);
    return operator_->supports(position, descriptions.data(), inputs, outputs);
  });
}

int32_t PluginV3::getNbOutputs() const noexcept {
  return guarded(kind_.name, int32_t{0}, [&] { return operator_->outputCount(); });
}

int32_t PluginV3::onShapeChange(nvinfer1::PluginTensorDesc const* inputs, int32_t inputCount,
                                nvinfer1::PluginTensorDesc const*, int32_t) noexcept {
  return guarded(kind_.name, int32_t{1}, [&] {
    operator_->configure(inputs, inputCount);
    operator_->prepare();
    return int32_t{0};
  });
}

int32_t PluginV3::enqueue(nvinfer1::PluginTensorDesc const* inputs, nvinfer1::PluginTensorDesc const* outputs,
                          void const* const* inputData, void* const* outputData, void*,
                          cudaStream_t stream) noexcept {
  return guarded(kind_.name, int32_t{1}, [&] {
    cudaError_t const error = operator_->enqueue(inputs, outputs, inputData, outputData, stream);
    if (error != cudaSuccess)
      throw PluginError(std::string("launching failed: ") + cudaGetErrorString(error));
    return int32_t{0};
  });
}

nvinfer1::IPluginV3* PluginV3::attachToContext(nvinfer1::IPluginResourceContext*) noexcept {
  return clone();
}

nvinfer1::PluginFieldCollection const* PluginV3::getFieldsToSerialize() noexcept {
  return guarded<nvinfer1::PluginFieldCollection const*>(
      kind_.name, nullptr, [&]() -> nvinfer1::PluginFieldCollection const* {
        Writer writer(kind_.name);
        operator_->serialize(writer);
        state_ = writer.bytes();
        stateField_ = {kStateField, state_.data(), nvinfer1::PluginFieldType::kCHAR,
                       static_cast<int32_t>(state_.size())};
        stateFields_.nbFields = 1;
        stateFields_.fields = &stateField_;
        return &stateFields_;
      });
}

CreatorV3::CreatorV3(OperatorKind const& kind) : kind_(kind) {
  fields_.nbFields = static_cast<int32_t>(kind.fields.size());
  fields_.fields = kind.fields.data();
}

nvinfer1::IPluginV3* CreatorV3::createPlugin(TensorName const* name,
                                             nvinfer1::PluginFieldCollection const* fields,
                                             nvinfer1::TensorRTPhase phase) noexcept {
  return guarded<nvinfer1::IPluginV3*>(kind_.name, nullptr, [&]() -> nvinfer1::IPluginV3* {
    std::string const where = std::string(kind_.name) + " '" + (name == nullptr ? "" : name) + "'";
    return guarded<nvinfer1::IPluginV3*>(where.c_str(), nullptr, [&]() -> nvinfer1::IPluginV3* {
      if (phase == nvinfer1::TensorRTPhase::kBUILD) {
        return new PluginV3(kind_, kind_.create(FieldReader(fields, kind_.fields)));
      }
      bool const isState = fields != nullptr && fields->nbFields == 1 && fields->fields != nullptr &&
                           fields->fields->name != nullptr &&
                           std::strcmp(fields->fields->name, kStateField) == 0 && fields->fields->length >= 0;
      if (!isState) throw PluginError("expected the field 'state' of a serialized engine, and nothing else");
      Reader reader(kind_.name, fields->fields->data, static_cast<size_t>(fields->fields->length));
      auto work = kind_.restore(reader);
      reader.finish();
      return new PluginV3(kind_, std::move(work));
    });
  });
}

}  // namespace tensorrt_node

#endif
