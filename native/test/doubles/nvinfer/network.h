// The network of the TensorRT double: as much of a graph as the ONNX reader finds.
#pragma once

#include <memory>
#include <vector>

#include "plugin_registry.h"
#include "support.h"

namespace trt_double {

class TensorDouble final : public nvinfer1::TensorStub {
 public:
  TensorDouble(std::string name, nvinfer1::DataType type, std::vector<int64_t> shape, bool isInput)
      : name_(std::move(name)), type_(type), shape_(std::move(shape)), isInput_(isInput) {}

  char const* getName() const noexcept override { return name_.c_str(); }
  nvinfer1::DataType getType() const noexcept override { return type_; }
  nvinfer1::Dims getDimensions() const noexcept override { return toDims(shape_); }
  bool isNetworkInput() const noexcept override { return isInput_; }
  bool isShapeTensor() const noexcept override { return false; }
  bool isExecutionTensor() const noexcept override { return true; }

  std::vector<int64_t> const& shape() const { return shape_; }

 private:
  std::string const name_;
  nvinfer1::DataType const type_;
  std::vector<int64_t> const shape_;
  bool const isInput_;
};

class LayerDouble final : public nvinfer1::LayerStub {
 public:
  LayerDouble(std::string name, nvinfer1::LayerType type, std::vector<nvinfer1::ITensor*> outputs)
      : name_(std::move(name)), type_(type), outputs_(std::move(outputs)) {}

  nvinfer1::LayerType getType() const noexcept override { return type_; }
  char const* getName() const noexcept override { return name_.c_str(); }
  int32_t getNbOutputs() const noexcept override { return static_cast<int32_t>(outputs_.size()); }
  nvinfer1::ITensor* getOutput(int32_t index) const noexcept override {
    return outputs_.at(static_cast<size_t>(index));
  }

 private:
  std::string const name_;
  nvinfer1::LayerType const type_;
  std::vector<nvinfer1::ITensor*> const outputs_;
};

class NetworkDouble final : public nvinfer1::NetworkDefinitionStub {
 public:
  NetworkDouble(Factory& builder, nvinfer1::NetworkDefinitionCreationFlags flags,
                PluginRegistryDouble const& plugins)
      : plugins(plugins), product_(builder), flags_(flags) {}

  nvinfer1::ITensor* addInput(char const* name, nvinfer1::DataType type,
                              nvinfer1::Dims const& dims) noexcept override;
  void markOutput(nvinfer1::ITensor& tensor) noexcept override;
  int32_t getNbInputs() const noexcept override { return static_cast<int32_t>(inputs_.size()); }
  nvinfer1::ITensor* getInput(int32_t index) const noexcept override {
    return inputs_.at(static_cast<size_t>(index));
  }
  int32_t getNbOutputs() const noexcept override { return static_cast<int32_t>(outputs_.size()); }
  nvinfer1::ITensor* getOutput(int32_t index) const noexcept override {
    return outputs_.at(static_cast<size_t>(index));
  }
  int32_t getNbLayers() const noexcept override { return static_cast<int32_t>(layers_.size()); }
  nvinfer1::ILayer* getLayer(int32_t index) const noexcept override {
    return layers_.at(static_cast<size_t>(index)).get();
  }
  nvinfer1::NetworkDefinitionCreationFlags getFlags() const noexcept override { return flags_; }
  bool getFlag(nvinfer1::NetworkDefinitionCreationFlag flag) const noexcept override {
    return (flags_ >> static_cast<uint32_t>(flag)) & 1U;
  }

  TensorDouble* addTensor(std::string const& name, nvinfer1::DataType type,
                          std::vector<int64_t> const& shape);
  void addLayer(std::string const& name, nvinfer1::LayerType type, std::vector<nvinfer1::ITensor*> outputs);
  /** How each output comes from the inputs, as {@link EngineSpec} has it. */
  Json rules = Json::object();
  /** What the parser was told. */
  Json parserNotes = Json::array();
  Factory factory{"INetworkDefinition"};
  /** Its builder's. */
  PluginRegistryDouble const& plugins;

 private:
  Factory::Product const product_;
  nvinfer1::NetworkDefinitionCreationFlags const flags_;
  std::vector<std::unique_ptr<TensorDouble>> tensors_;
  std::vector<std::unique_ptr<LayerDouble>> layers_;
  std::vector<nvinfer1::ITensor*> inputs_, outputs_;
  Alive const alive_{"networks"};
};

}  // namespace trt_double
