#pragma once

#include <NvInferRuntime.h>

#include <memory>
#include <string>
#include <vector>

namespace trtnode {

using PluginTensors = std::vector<nvinfer1::PluginTensorDesc>;

// One plugin, of either interface, behind the calls that TensorRT makes while it builds an engine and runs
// it, in that order. Whatever the plugin refuses is an Error PLUGIN_FAILED.
class PluginSubject {
 public:
  // Asks the creator for a plugin. Throws where it gives none.
  static std::unique_ptr<PluginSubject> create(nvinfer1::IPluginCreatorInterface& creator,
                                               nvinfer1::PluginFieldCollection const& fields);
  virtual ~PluginSubject() = default;
  PluginSubject(PluginSubject const&) = delete;
  PluginSubject& operator=(PluginSubject const&) = delete;

  // "IPluginV2DynamicExt" or "IPluginV3".
  virtual char const* interfaceName() const = 0;

  virtual int32_t outputCount() = 0;
  virtual std::vector<nvinfer1::DataType> outputTypes(PluginTensors const& inputs, int32_t outputs) = 0;
  // Computed from expressions, as for an engine of dynamic shapes, and evaluated for these inputs.
  virtual std::vector<nvinfer1::Dims> outputShapes(PluginTensors const& inputs, int32_t outputs) = 0;
  // Whether tensor `position` of inputs and outputs may be as it is, given those before it.
  virtual bool supports(int32_t position, PluginTensors const& all, int32_t inputs) = 0;
  virtual void configure(PluginTensors const& inputs, PluginTensors const& outputs) = 0;
  // Asked while the engine is built.
  virtual size_t workspaceBytes(PluginTensors const& inputs, PluginTensors const& outputs) = 0;
  // Replaces the plugin by a clone, and the clone by what comes back of its serialized form. Gives its size.
  virtual size_t passThroughPlan() = 0;
  // What execution contexts do before the first run: initialization, a clone, the exact shapes.
  virtual void prepare(PluginTensors const& inputs, PluginTensors const& outputs) = 0;
  virtual void enqueue(PluginTensors const& inputs, PluginTensors const& outputs,
                       void const* const* inputData, void* const* outputData, void* workspace,
                       cudaStream_t stream) = 0;

 protected:
  PluginSubject() = default;
};

// Of a creator, whichever kind it is.
struct CreatorFacts {
  std::string name;
  std::string version;
  std::string space;
  std::string interface;  // "IPluginV2" or "IPluginV3"
  nvinfer1::PluginFieldCollection const* fields;
};

// Throws Error UNSUPPORTED for a kind of creator that TensorRT 10 and 11 do not take.
CreatorFacts factsOf(nvinfer1::IPluginCreatorInterface& creator);

}  // namespace trtnode
