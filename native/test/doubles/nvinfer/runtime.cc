// Stand-in for tests: runtime and engine of the TensorRT double.
#include "runtime.h"

#include <stdexcept>

#include "plan.h"

namespace trt_double {

RuntimeDouble::~RuntimeDouble() noexcept {
  // TensorRT logs to the end, so the logger must still be there.
  logger_.log(nvinfer1::ILogger::Severity::kVERBOSE, "stand-in runtime destroyed");
}

nvinfer1::ICudaEngine* RuntimeDouble::deserializeCudaEngine(void const* blob, std::size_t size) noexcept {
  constexpr char const* kFunction = "IRuntime::deserializeCudaEngine";
  CudaHooks const* cuda = CudaHooks::find();
  try {
    if (!cuda) throw std::runtime_error("no CUDA driver in this process");
    EngineSpec spec = EngineSpec::read(readPlan(blob, size)["engine"]);
    if (spec.hostCode && !hostCodeAllowed_) throw std::runtime_error("host code is not allowed");
    CUdeviceptr const weights = cuda->allocate(kFunction, EngineDouble::kWeightsBytes);
    if (weights == 0) throw std::runtime_error("Error Code 2: OutOfMemory (Requested size was 256 bytes.)");
    return new EngineDouble(factory_, logger_, *cuda, std::move(spec), weights);
  } catch (std::exception const& error) {
    logError(logger_, error.what());
    return nullptr;
  }
}

EngineDouble::EngineDouble(Factory& runtime, nvinfer1::ILogger& logger, CudaHooks const& cuda,
                           EngineSpec spec, CUdeviceptr weights)
    : product_(runtime),
      logger_(logger),
      cuda_(cuda),
      spec_(std::move(spec)),
      weights_(weights),
      streamingBudget_(spec_.streamableBytes) {
  for (auto const& [output, rule] : spec_.rules) {
    if (rule.op == "scaleBy") factors_["factor:" + output] = static_cast<float>(rule.factor);
  }
}

nvinfer1::IEngineInspector* EngineDouble::createEngineInspector() const noexcept {
  if (injected(logger_, "ICudaEngine::createEngineInspector")) return nullptr;
  return new EngineInspectorDouble(inspectors_, spec_);
}

bool EngineDouble::setWeightStreamingBudgetV2(int64_t budget) noexcept {
  if (injected(logger_, "ICudaEngine::setWeightStreamingBudgetV2")) return false;
  if (contexts_ > 0) misuse("ICudaEngine::setWeightStreamingBudgetV2: there are execution contexts");
  if (budget < 0 || budget > spec_.streamableBytes) {
    logError(logger_, "ICudaEngine::setWeightStreamingBudgetV2: Error Code 3: API Usage Error");
    return false;
  }
  streamingBudget_ = budget;
  return true;
}

EngineInspectorDouble::EngineInspectorDouble(Factory& engineFactory, EngineSpec const& spec)
    : product_(engineFactory) {
  Json layers = Json::array();
  for (auto const& [output, rule] : spec.rules) {
    layers.push(Json::object({{"Name", Json(output)}, {"LayerType", Json(rule.op)}}));
  }
  layers.push(Json("a layer of which the plan kept the name only"));
  json_ = Json::object({{"Layers", std::move(layers)}}).dump();
}

char const* EngineInspectorDouble::getEngineInformation(
    nvinfer1::LayerInformationFormat format) const noexcept {
  return format == nvinfer1::LayerInformationFormat::kJSON ? json_.c_str() : nullptr;
}

bool RefitterDouble::setNamedWeights(char const* name, nvinfer1::Weights weights) noexcept {
  if (injected(logger_, "IRefitter::setNamedWeights")) return false;
  if (engine_.factors().count(name) == 0 || weights.type != nvinfer1::DataType::kFLOAT ||
      weights.count != 1) {
    logError(logger_, std::string("IRefitter::setNamedWeights: no such weights: ") + name);
    return false;
  }
  given_[name] = static_cast<float const*>(weights.values);
  return true;
}

/** As where the build joined all weights: who gives one has to give them all. */
int32_t RefitterDouble::getMissingWeights(int32_t size, char const** names) noexcept {
  int32_t missing = 0;
  for (auto const& [name, value] : engine_.factors()) {
    if (given_.count(name) != 0) continue;
    if (names != nullptr && missing < size) names[missing] = name.c_str();
    ++missing;
  }
  return missing;
}

int32_t RefitterDouble::getAllWeights(int32_t size, char const** names) noexcept {
  int32_t all = 0;
  for (auto const& [name, value] : engine_.factors()) {
    if (names != nullptr && all < size) names[all] = name.c_str();
    ++all;
  }
  return all;
}

nvinfer1::Weights RefitterDouble::getWeightsPrototype(char const* name) const noexcept {
  return {nvinfer1::DataType::kFLOAT, nullptr, engine_.factors().count(name) == 0 ? -1 : 1};
}

bool RefitterDouble::refitCudaEngine() noexcept {
  if (injected(logger_, "IRefitter::refitCudaEngine")) return false;
  if (engine_.busy() > 0) misuse("IRefitter::refitCudaEngine: the engine has pending work");
  if (getMissingWeights(0, nullptr) > 0) return false;
  for (auto const& [name, value] : given_) engine_.factors()[name] = *value;
  return true;
}

EngineDouble::~EngineDouble() noexcept {
  cuda_.release("~ICudaEngine", weights_);
}

char const* EngineDouble::getIOTensorName(int32_t index) const noexcept {
  return index >= 0 && index < getNbIOTensors() ? spec_.tensors[static_cast<size_t>(index)].name.c_str()
                                                : nullptr;
}

nvinfer1::TensorIOMode EngineDouble::getTensorIOMode(char const* name) const noexcept {
  TensorSpec const* tensor = spec_.find(name);
  if (!tensor) return nvinfer1::TensorIOMode::kNONE;
  return tensor->input ? nvinfer1::TensorIOMode::kINPUT : nvinfer1::TensorIOMode::kOUTPUT;
}

nvinfer1::TensorFormat EngineDouble::getTensorFormat(char const*) const noexcept {
  return nvinfer1::TensorFormat::kLINEAR;
}

nvinfer1::DataType EngineDouble::getTensorDataType(char const* name) const noexcept {
  TensorSpec const* tensor = spec_.find(name);
  return tensor ? tensor->type : nvinfer1::DataType::kFLOAT;
}

nvinfer1::TensorLocation EngineDouble::getTensorLocation(char const* name) const noexcept {
  TensorSpec const* tensor = spec_.find(name);
  return tensor && tensor->host ? nvinfer1::TensorLocation::kHOST : nvinfer1::TensorLocation::kDEVICE;
}

nvinfer1::Dims EngineDouble::getTensorShape(char const* name) const noexcept {
  TensorSpec const* tensor = spec_.find(name);
  return tensor ? toDims(tensor->shape) : noDims();
}

nvinfer1::Dims EngineDouble::getProfileShape(char const* name, int32_t profile,
                                             nvinfer1::OptProfileSelector select) const noexcept {
  TensorSpec const* tensor = spec_.find(name);
  if (!tensor || !tensor->input || profile < 0 || profile >= getNbOptimizationProfiles()) return noDims();
  auto const& ranges = spec_.profiles[static_cast<size_t>(profile)];
  auto found = ranges.find(name);
  if (found == ranges.end()) return toDims(tensor->shape);
  switch (select) {
    case nvinfer1::OptProfileSelector::kMIN:
      return toDims(found->second.min);
    case nvinfer1::OptProfileSelector::kOPT:
      return toDims(found->second.opt);
    default:
      return toDims(found->second.max);
  }
}

int64_t EngineDouble::getDeviceMemorySizeForProfileV2(int32_t profile) const noexcept {
  return static_cast<int64_t>(spec_.activationBytes) * (profile + 1);
}

int64_t EngineDouble::getDeviceMemorySizeV2() const noexcept {
  return getDeviceMemorySizeForProfileV2(getNbOptimizationProfiles() - 1);
}

int64_t EngineDouble::getEngineStat(nvinfer1::EngineStat stat) const noexcept {
  return stat == nvinfer1::EngineStat::kTOTAL_WEIGHTS_SIZE ? kWeightsBytes : -1;
}

bool EngineDouble::isShapeInferenceIO(char const*) const noexcept {
  return false;
}

nvinfer1::IExecutionContext* EngineDouble::createExecutionContext(
    nvinfer1::ExecutionContextAllocationStrategy strategy) noexcept {
  if (strategy == nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED) {
    if (injected(logger_, "ICudaEngine::createExecutionContext (kUSER_MANAGED)")) return nullptr;
    return new ExecutionContextDouble(factory_, *this, logger_, cuda_, 0);
  }
  CUdeviceptr const scratch =
      cuda_.allocate("ICudaEngine::createExecutionContext", static_cast<size_t>(getDeviceMemorySizeV2()));
  if (scratch == 0) {
    logError(logger_, "IExecutionContext: Error Code 2: OutOfMemory (Requested size was " +
                          std::to_string(getDeviceMemorySizeV2()) + " bytes.)");
    return nullptr;
  }
  return new ExecutionContextDouble(factory_, *this, logger_, cuda_, scratch);
}

}  // namespace trt_double
