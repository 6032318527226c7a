// Version "2" of every plugin: IPluginV3, which TensorRT has from 10 on.
#pragma once

#include "tensorrt.h"

#if TENSORRT_NODE_HAS_PLUGIN_V3

#include <memory>
#include <string>

#include "operator.h"

namespace tensorrt_node {

/** All three capabilities in one object: what they need is the same operator. */
class PluginV3 final : public nvinfer1::IPluginV3,
                       public nvinfer1::IPluginV3OneCore,
                       public nvinfer1::IPluginV3OneBuild,
                       public nvinfer1::IPluginV3OneRuntime {
 public:
  PluginV3(OperatorKind const& kind, std::unique_ptr<Operator> work)
      : kind_(kind), operator_(std::move(work)) {}

  nvinfer1::IPluginCapability* getCapabilityInterface(nvinfer1::PluginCapabilityType type) noexcept override;
  nvinfer1::IPluginV3* clone() noexcept override;

  TensorName const* getPluginName() const noexcept override { return kind_.name; }
  TensorName const* getPluginVersion() const noexcept override { return "2"; }
  TensorName const* getPluginNamespace() const noexcept override { return ""; }

  int32_t configurePlugin(nvinfer1::DynamicPluginTensorDesc const* inputs, int32_t inputCount,
                          nvinfer1::DynamicPluginTensorDesc const* outputs,
                          int32_t outputCount) noexcept override;
  int32_t getOutputDataTypes(nvinfer1::DataType* outputs, int32_t outputCount,
                             nvinfer1::DataType const* inputs, int32_t inputCount) const noexcept override;
  int32_t getOutputShapes(nvinfer1::DimsExprs const* inputs, int32_t inputCount,
                          nvinfer1::DimsExprs const* shapes, int32_t shapeCount, nvinfer1::DimsExprs* outputs,
                          int32_t outputCount, nvinfer1::IExprBuilder& builder) noexcept override;
  bool supportsFormatCombination(int32_t position, nvinfer1::DynamicPluginTensorDesc const* tensors,
                                 int32_t inputs, int32_t outputs) noexcept override;
  int32_t getNbOutputs() const noexcept override;

  int32_t onShapeChange(nvinfer1::PluginTensorDesc const* inputs, int32_t inputCount,
                        nvinfer1::PluginTensorDesc const* outputs, int32_t outputCount) noexcept override;
  int32_t enqueue(nvinfer1::PluginTensorDesc const* inputs, nvinfer1::PluginTensorDesc const* outputs,
                  void const* const* inputData, void* const* outputData, void* workspace,
                  cudaStream_t stream) noexcept override;
  nvinfer1::IPluginV3* attachToContext(nvinfer1::IPluginResourceContext* context) noexcept override;
  nvinfer1::PluginFieldCollection const* getFieldsToSerialize() noexcept override;

 private:
  OperatorKind const& kind_;
  std::unique_ptr<Operator> operator_;
  // What getFieldsToSerialize() points at.
  std::vector<uint8_t> state_;
  nvinfer1::PluginField stateField_;
  nvinfer1::PluginFieldCollection stateFields_{};
};

class CreatorV3 final : public nvinfer1::IPluginCreatorV3One {
 public:
  explicit CreatorV3(OperatorKind const& kind);
  nvinfer1::IPluginV3* createPlugin(TensorName const* name, nvinfer1::PluginFieldCollection const* fields,
                                    nvinfer1::TensorRTPhase phase) noexcept override;
  nvinfer1::PluginFieldCollection const* getFieldNames() noexcept override { return &fields_; }
  TensorName const* getPluginName() const noexcept override { return kind_.name; }
  TensorName const* getPluginVersion() const noexcept override { return "2"; }
  TensorName const* getPluginNamespace() const noexcept override { return ""; }

 private:
  OperatorKind const& kind_;
  nvinfer1::PluginFieldCollection fields_{};
};

}  // namespace tensorrt_node

#endif
