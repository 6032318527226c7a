#include "plugins/plugin_subject.h"

#include <cstring>

#include "loader/error.h"
#include "plugins/expressions.h"

// IPluginV2DynamicExt and its creators are deprecated, and what many plugins are.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace trtnode {
namespace {

using namespace nvinfer1;

constexpr char kPluginName[] = "bench";  // the name of the node, which plugins put into their messages

Error failed(std::string const& what) {
  return {ErrorCode::kPluginFailed, what};
}

void require(bool taken, std::string const& what) {
  if (!taken) throw failed(what);
}

int32_t count(PluginTensors const& tensors) {
  return static_cast<int32_t>(tensors.size());
}

std::vector<DynamicPluginTensorDesc> withRanges(PluginTensors const& tensors) {
  std::vector<DynamicPluginTensorDesc> dynamic;
  for (PluginTensorDesc const& tensor : tensors) {
    dynamic.push_back({tensor, tensor.dims, tensor.dims, tensor.dims});
  }
  return dynamic;
}

std::vector<DataType> typesOf(PluginTensors const& tensors) {
  std::vector<DataType> types;
  for (PluginTensorDesc const& tensor : tensors) types.push_back(tensor.type);
  return types;
}

std::vector<DimsExprs> expressionsOf(PluginTensors const& tensors, ExpressionBuilder& builder) {
  std::vector<DimsExprs> shapes;
  for (PluginTensorDesc const& tensor : tensors) shapes.push_back(builder.dynamic(tensor.dims));
  return shapes;
}

Dims evaluated(DimsExprs const& shape, int32_t output, ExpressionBuilder const& builder) {
  std::string const which = "output " + std::to_string(output);
  if (builder.sizeTensorAsked()) {
    throw Error(ErrorCode::kUnsupported, which + " has a size that depends on data",
                "test such a plugin within an engine");
  }
  require(shape.nbDims >= 0 && shape.nbDims <= Dims::MAX_DIMS, "the plugin gave no shape for " + which);
  Dims dims{};
  dims.nbDims = shape.nbDims;
  for (int32_t d = 0; d < shape.nbDims; ++d) {
    require(shape.d[d] != nullptr, "dimension " + std::to_string(d) + " of " + which + " has no expression");
    dims.d[d] = ExpressionBuilder::valueOf(*shape.d[d]);
    require(dims.d[d] >= 0, "dimension " + std::to_string(d) + " of " + which + " is negative");
  }
  return dims;
}

// IPluginV2 has a way of its own to go; what created it deletes it.
struct DestroyV2 {
  void operator()(IPluginV2DynamicExt* plugin) const { plugin->destroy(); }
};
using PluginV2 = std::unique_ptr<IPluginV2DynamicExt, DestroyV2>;

class SubjectV2 final : public PluginSubject {
 public:
  SubjectV2(IPluginCreator& creator, PluginFieldCollection const& fields) : creator_(creator) {
    IPluginV2* const created = creator.createPlugin(kPluginName, &fields);
    require(created != nullptr, "createPlugin gave no plugin");
    plugin_ = dynamicExt(created);
  }
  ~SubjectV2() override {
    running_.reset();
    if (initialized_) plugin_->terminate();
  }

  char const* interfaceName() const override { return "IPluginV2DynamicExt"; }
  int32_t outputCount() override { return plugin_->getNbOutputs(); }

  std::vector<DataType> outputTypes(PluginTensors const& inputs, int32_t outputs) override {
    std::vector<DataType> const given = typesOf(inputs);
    std::vector<DataType> types;
    for (int32_t i = 0; i < outputs; ++i) {
      types.push_back(plugin_->getOutputDataType(i, given.data(), count(inputs)));
    }
    return types;
  }

  std::vector<Dims> outputShapes(PluginTensors const& inputs, int32_t outputs) override {
    ExpressionBuilder builder;
    auto const given = expressionsOf(inputs, builder);
    std::vector<Dims> shapes;
    for (int32_t i = 0; i < outputs; ++i) {
      DimsExprs const shape = plugin_->getOutputDimensions(i, given.data(), count(inputs), builder);
      shapes.push_back(evaluated(shape, i, builder));
    }
    return shapes;
  }

  bool supports(int32_t position, PluginTensors const& all, int32_t inputs) override {
    return plugin_->supportsFormatCombination(position, all.data(), inputs, count(all) - inputs);
  }

  void configure(PluginTensors const& inputs, PluginTensors const& outputs) override {
    configure(*plugin_, inputs, outputs);
  }

  size_t passThroughPlan() override {
    PluginV2 const clone = cloneOf(*plugin_);
    std::vector<char> bytes(clone->getSerializationSize());
    clone->serialize(bytes.data());
    // Exactly as long as it said, so that a plugin that reads past its end is seen under AddressSanitizer.
    IPluginV2* const restored = creator_.deserializePlugin(kPluginName, bytes.data(), bytes.size());
    require(restored != nullptr, "deserializePlugin gave no plugin for the " + std::to_string(bytes.size()) +
                                     " bytes that it was serialized to");
    plugin_ = dynamicExt(restored);
    return bytes.size();
  }

  void prepare(PluginTensors const& inputs, PluginTensors const& outputs) override {
    require(plugin_->initialize() == 0, "initialize failed");
    initialized_ = true;
    // Contexts run clones of what the engine initialized.
    running_ = cloneOf(*plugin_);
    configure(*running_, inputs, outputs);
  }

  size_t workspaceBytes(PluginTensors const& inputs, PluginTensors const& outputs) override {
    return plugin_->getWorkspaceSize(inputs.data(), count(inputs), outputs.data(), count(outputs));
  }

  void enqueue(PluginTensors const& inputs, PluginTensors const& outputs, void const* const* inputData,
               void* const* outputData, void* workspace, cudaStream_t stream) override {
    int32_t const status =
        running_->enqueue(inputs.data(), outputs.data(), inputData, outputData, workspace, stream);
    require(status == 0, "enqueue failed with " + std::to_string(status));
  }

 private:
  static PluginV2 dynamicExt(IPluginV2* plugin) {
    // The kind is in the upper byte, beside the version of the headers that the plugin was compiled with.
    int32_t const kind = plugin->getTensorRTVersion() >> 24 & ~kPLUGIN_VERSION_PYTHON_BIT;
    if (kind != static_cast<int32_t>(PluginVersion::kV2_DYNAMICEXT)) {
      plugin->destroy();
      throw Error(ErrorCode::kUnsupported,
                  "the plugin is an IPluginV2 of kind " + std::to_string(kind) +
                      ", which networks of explicit batch do not take",
                  "derive it from IPluginV2DynamicExt, or from IPluginV3");
    }
    return PluginV2(static_cast<IPluginV2DynamicExt*>(plugin));
  }

  static PluginV2 cloneOf(IPluginV2DynamicExt const& plugin) {
    PluginV2 clone(plugin.clone());
    require(clone != nullptr, "clone gave no plugin");
    return clone;
  }

  static void configure(IPluginV2DynamicExt& plugin, PluginTensors const& inputs,
                        PluginTensors const& outputs) {
    auto const in = withRanges(inputs), out = withRanges(outputs);
    plugin.configurePlugin(in.data(), count(inputs), out.data(), count(outputs));
  }

  IPluginCreator& creator_;
  PluginV2 plugin_;
  PluginV2 running_;
  bool initialized_ = false;
};

class NoResources final : public IPluginResourceContext {
 public:
  IGpuAllocator* getGpuAllocator() const noexcept override { return nullptr; }
  IErrorRecorder* getErrorRecorder() const noexcept override { return nullptr; }
};

class SubjectV3 final : public PluginSubject {
 public:
  SubjectV3(IPluginCreatorV3One& creator, PluginFieldCollection const& fields)
      : creator_(creator), plugin_(creator.createPlugin(kPluginName, &fields, TensorRTPhase::kBUILD)) {
    require(plugin_ != nullptr, "createPlugin gave no plugin");
    require(plugin_->getCapabilityInterface(PluginCapabilityType::kCORE) != nullptr,
            "the plugin has no core capability");
  }

  char const* interfaceName() const override { return "IPluginV3"; }
  int32_t outputCount() override { return build().getNbOutputs(); }

  std::vector<DataType> outputTypes(PluginTensors const& inputs, int32_t outputs) override {
    std::vector<DataType> const given = typesOf(inputs);
    std::vector<DataType> types(static_cast<size_t>(outputs), DataType::kFLOAT);
    require(build().getOutputDataTypes(types.data(), outputs, given.data(), count(inputs)) == 0,
            "getOutputDataTypes failed");
    return types;
  }

  std::vector<Dims> outputShapes(PluginTensors const& inputs, int32_t outputs) override {
    ExpressionBuilder builder;
    auto const given = expressionsOf(inputs, builder);
    std::vector<DimsExprs> asked(static_cast<size_t>(outputs));
    require(
        build().getOutputShapes(given.data(), count(inputs), nullptr, 0, asked.data(), outputs, builder) == 0,
        "getOutputShapes failed");
    std::vector<Dims> shapes;
    for (int32_t i = 0; i < outputs; ++i) {
      shapes.push_back(evaluated(asked[static_cast<size_t>(i)], i, builder));
    }
    return shapes;
  }

  bool supports(int32_t position, PluginTensors const& all, int32_t inputs) override {
    return build().supportsFormatCombination(position, withRanges(all).data(), inputs, count(all) - inputs);
  }

  void configure(PluginTensors const& inputs, PluginTensors const& outputs) override {
    auto const in = withRanges(inputs), out = withRanges(outputs);
    require(build().configurePlugin(in.data(), count(inputs), out.data(), count(outputs)) == 0,
            "configurePlugin failed");
  }

  size_t passThroughPlan() override {
    std::unique_ptr<IPluginV3> const clone(plugin_->clone());
    require(clone != nullptr, "clone gave no plugin");
    PluginFieldCollection const* const state = runtimeOf(*clone).getFieldsToSerialize();
    require(state != nullptr, "getFieldsToSerialize gave no fields");
    size_t bytes = 0;
    for (int32_t i = 0; i < state->nbFields; ++i) bytes += static_cast<size_t>(state->fields[i].length);
    // Fields are owned by the plugin that gave them.
    std::unique_ptr<IPluginV3> restored(creator_.createPlugin(kPluginName, state, TensorRTPhase::kRUNTIME));
    require(restored != nullptr, "createPlugin gave no plugin for the fields that it was serialized to");
    plugin_ = std::move(restored);
    return bytes;
  }

  void prepare(PluginTensors const& inputs, PluginTensors const& outputs) override {
    running_.reset(runtimeOf(*plugin_).attachToContext(&resources_));
    require(running_ != nullptr, "attachToContext gave no plugin");
    require(
        runtimeOf(*running_).onShapeChange(inputs.data(), count(inputs), outputs.data(), count(outputs)) == 0,
        "onShapeChange failed");
  }

  size_t workspaceBytes(PluginTensors const& inputs, PluginTensors const& outputs) override {
    auto const in = withRanges(inputs), out = withRanges(outputs);
    return build().getWorkspaceSize(in.data(), count(inputs), out.data(), count(outputs));
  }

  void enqueue(PluginTensors const& inputs, PluginTensors const& outputs, void const* const* inputData,
               void* const* outputData, void* workspace, cudaStream_t stream) override {
    int32_t const status =
        runtimeOf(*running_).enqueue(inputs.data(), outputs.data(), inputData, outputData, workspace, stream);
    require(status == 0, "enqueue failed with " + std::to_string(status));
  }

 private:
  IPluginV3OneBuild& build() {
    auto* const capability = plugin_->getCapabilityInterface(PluginCapabilityType::kBUILD);
    require(capability != nullptr, "the plugin has no build capability");
    return static_cast<IPluginV3OneBuild&>(*capability);
  }
  static IPluginV3OneRuntime& runtimeOf(IPluginV3& plugin) {
    auto* const capability = plugin.getCapabilityInterface(PluginCapabilityType::kRUNTIME);
    require(capability != nullptr, "the plugin has no runtime capability");
    return static_cast<IPluginV3OneRuntime&>(*capability);
  }

  IPluginCreatorV3One& creator_;
  NoResources resources_;
  std::unique_ptr<IPluginV3> plugin_;
  std::unique_ptr<IPluginV3> running_;
};

std::string text(AsciiChar const* characters) {
  return characters == nullptr ? "" : characters;
}

template <class Creator>
CreatorFacts describe(Creator& creator, char const* interface) {
  return {text(creator.getPluginName()), text(creator.getPluginVersion()), text(creator.getPluginNamespace()),
          interface, creator.getFieldNames()};
}

bool isKind(IPluginCreatorInterface& creator, char const* kind) {
  return std::strcmp(creator.getInterfaceInfo().kind, kind) == 0;
}

constexpr char kCreatorV2[] = "PLUGIN CREATOR_V1";
constexpr char kCreatorV3[] = "PLUGIN CREATOR_V3ONE";

}  // namespace

CreatorFacts factsOf(IPluginCreatorInterface& creator) {
  if (isKind(creator, kCreatorV2)) return describe(static_cast<IPluginCreator&>(creator), "IPluginV2");
  if (isKind(creator, kCreatorV3)) return describe(static_cast<IPluginCreatorV3One&>(creator), "IPluginV3");
  throw Error(ErrorCode::kUnsupported,
              "a creator of the unknown kind \"" + std::string(creator.getInterfaceInfo().kind) + "\"");
}

std::unique_ptr<PluginSubject> PluginSubject::create(IPluginCreatorInterface& creator,
                                                     PluginFieldCollection const& fields) {
  if (isKind(creator, kCreatorV2)) {
    return std::make_unique<SubjectV2>(static_cast<IPluginCreator&>(creator), fields);
  }
  return std::make_unique<SubjectV3>(static_cast<IPluginCreatorV3One&>(creator), fields);
}

}  // namespace trtnode
