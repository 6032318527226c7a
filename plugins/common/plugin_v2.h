// Version "1" of every plugin: IPluginV2DynamicExt, which TensorRT has from 6 to 11.
#pragma once

#include <memory>
#include <string>

#include "operator.h"

// TensorRT 10 and 11 deprecate these classes and still call them; carrying them is what this file is for.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace tensorrt_node {

class PluginV2 final : public nvinfer1::IPluginV2DynamicExt {
 public:
  PluginV2(OperatorKind const& kind, std::unique_ptr<Operator> work, std::string space)
      : kind_(kind), operator_(std::move(work)), namespace_(std::move(space)) {}

  nvinfer1::IPluginV2DynamicExt* clone() const noexcept override;
  TensorName const* getPluginType() const noexcept override { return kind_.name; }
  TensorName const* getPluginVersion() const noexcept override { return "1"; }
  int32_t getNbOutputs() const noexcept override;
  int32_t initialize() noexcept override;
  void terminate() noexcept override { operator_->release(); }
  size_t getSerializationSize() const noexcept override;
  void serialize(void* buffer) const noexcept override;
  void destroy() noexcept override { delete this; }
  void setPluginNamespace(TensorName const* space) noexcept override;
  TensorName const* getPluginNamespace() const noexcept override { return namespace_.c_str(); }
  nvinfer1::DataType getOutputDataType(int32_t index, nvinfer1::DataType const* types,
                                       int32_t count) const noexcept override;
  nvinfer1::DimsExprs getOutputDimensions(int32_t index, nvinfer1::DimsExprs const* inputs, int32_t count,
                                          nvinfer1::IExprBuilder& builder) noexcept override;
  bool supportsFormatCombination(int32_t position, nvinfer1::PluginTensorDesc const* tensors, int32_t inputs,
                                 int32_t outputs) noexcept override;
  void configurePlugin(nvinfer1::DynamicPluginTensorDesc const* inputs, int32_t inputCount,
                       nvinfer1::DynamicPluginTensorDesc const* outputs,
                       int32_t outputCount) noexcept override;
  size_t getWorkspaceSize(nvinfer1::PluginTensorDesc const*, int32_t, nvinfer1::PluginTensorDesc const*,
                          int32_t) const noexcept override {
    return 0;
  }
  int32_t enqueue(nvinfer1::PluginTensorDesc const* inputs, nvinfer1::PluginTensorDesc const* outputs,
                  void const* const* inputData, void* const* outputData, void* workspace,
                  cudaStream_t stream) noexcept override;

 private:
  std::vector<uint8_t> serialized() const;

  OperatorKind const& kind_;
  std::unique_ptr<Operator> operator_;
  std::string namespace_;
};

class CreatorV2 final : public nvinfer1::IPluginCreator {
 public:
  explicit CreatorV2(OperatorKind const& kind);
  TensorName const* getPluginName() const noexcept override { return kind_.name; }
  TensorName const* getPluginVersion() const noexcept override { return "1"; }
  nvinfer1::PluginFieldCollection const* getFieldNames() noexcept override { return &fields_; }
  nvinfer1::IPluginV2* createPlugin(TensorName const* name,
                                    nvinfer1::PluginFieldCollection const* fields) noexcept override;
  nvinfer1::IPluginV2* deserializePlugin(TensorName const* name, void const* data,
                                         size_t size) noexcept override;
  void setPluginNamespace(TensorName const* space) noexcept override;
  TensorName const* getPluginNamespace() const noexcept override { return namespace_.c_str(); }

 private:
  OperatorKind const& kind_;
  nvinfer1::PluginFieldCollection fields_{};
  std::string namespace_;
};

}  // namespace tensorrt_node

#pragma GCC diagnostic pop
