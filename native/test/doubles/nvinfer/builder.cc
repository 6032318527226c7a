// Stand-in for tests: the recording builder of the TensorRT double.
#include "builder.h"

#include <chrono>
#include <sstream>
#include <thread>

#include "plan.h"

namespace trt_double {

// ---- optimization profiles

bool ProfileDouble::setDimensions(char const* input, nvinfer1::OptProfileSelector select,
                                  nvinfer1::Dims const& dims) noexcept {
  OptimizationProfileStub::setDimensions(input, select, dims);
  RangeSpec& range = ranges_[input];
  switch (select) {
    case nvinfer1::OptProfileSelector::kMIN:
      range.min = fromDims(dims);
      break;
    case nvinfer1::OptProfileSelector::kOPT:
      range.opt = fromDims(dims);
      break;
    case nvinfer1::OptProfileSelector::kMAX:
      range.max = fromDims(dims);
      break;
  }
  return true;
}

nvinfer1::Dims ProfileDouble::getDimensions(char const* input,
                                            nvinfer1::OptProfileSelector select) const noexcept {
  auto found = ranges_.find(input);
  if (found == ranges_.end()) return noDims();
  switch (select) {
    case nvinfer1::OptProfileSelector::kMIN:
      return toDims(found->second.min);
    case nvinfer1::OptProfileSelector::kOPT:
      return toDims(found->second.opt);
    default:
      return toDims(found->second.max);
  }
}

bool ProfileDouble::isValid() const noexcept {
  for (auto const& [name, range] : ranges_) {
    if (range.min.size() != range.opt.size() || range.opt.size() != range.max.size()) return false;
    for (size_t i = 0; i < range.min.size(); ++i) {
      if (range.min[i] < 0 || range.min[i] > range.opt[i] || range.opt[i] > range.max[i]) return false;
    }
  }
  return true;
}

Json ProfileDouble::toJson() const {
  Json json = Json::object();
  for (auto const& [name, range] : ranges_) {
    json.set(name, Json::object({{"min", Json::integers(range.min)},
                                 {"opt", Json::integers(range.opt)},
                                 {"max", Json::integers(range.max)}}));
  }
  return json;
}

// ---- timing cache

namespace {

constexpr char kCacheMagic[] = "stand-in timing cache ";

std::string deviceOfCaches() {
  return "sm " + setting("TRT_DOUBLE_COMPUTE_CAPABILITY", "8.9");
}

}  // namespace

TimingCacheDouble::TimingCacheDouble() : device_(deviceOfCaches()) {}

std::unique_ptr<TimingCacheDouble> TimingCacheDouble::read(void const* blob, size_t size) {
  std::unique_ptr<TimingCacheDouble> cache(new TimingCacheDouble());
  if (size == 0) return cache;
  std::istringstream lines(std::string(static_cast<char const*>(blob), size));
  std::string line;
  if (!std::getline(lines, line) || line.rfind(kCacheMagic, 0) != 0) return nullptr;
  cache->device_ = line.substr(sizeof kCacheMagic - 1);
  while (std::getline(lines, line)) cache->entries.insert(line);
  return cache;
}

bool TimingCacheDouble::matchesDevice() const {
  return device_ == deviceOfCaches();
}

nvinfer1::IHostMemory* TimingCacheDouble::serialize() const noexcept {
  std::string text = kCacheMagic + device_ + "\n";
  for (std::string const& entry : entries) text += entry + "\n";
  return new HostMemoryDouble(text);
}

bool TimingCacheDouble::combine(nvinfer1::ITimingCache const& other, bool ignoreMismatch) noexcept {
  auto const& cache = static_cast<TimingCacheDouble const&>(other);
  if (cache.device_ != device_ && !ignoreMismatch) return false;
  entries.insert(cache.entries.begin(), cache.entries.end());
  return true;
}

bool TimingCacheDouble::reset() noexcept {
  entries.clear();
  return true;
}

// ---- configuration

BuilderConfigDouble::BuilderConfigDouble(Factory& builder, nvinfer1::ILogger& logger)
    // TensorRT's default, as BuilderFlag::kTF32 documents it.
    : product_(builder), logger_(logger), flags_(1U << static_cast<uint32_t>(nvinfer1::BuilderFlag::kTF32)) {}

void BuilderConfigDouble::setFlags(nvinfer1::BuilderFlags flags) noexcept {
  BuilderConfigStub::setFlags(flags);
  flags_ = flags;
}

void BuilderConfigDouble::setFlag(nvinfer1::BuilderFlag flag) noexcept {
  BuilderConfigStub::setFlag(flag);
  flags_ |= 1U << static_cast<uint32_t>(flag);
}

void BuilderConfigDouble::clearFlag(nvinfer1::BuilderFlag flag) noexcept {
  BuilderConfigStub::clearFlag(flag);
  flags_ &= ~(1U << static_cast<uint32_t>(flag));
}

bool BuilderConfigDouble::getFlag(nvinfer1::BuilderFlag flag) const noexcept {
  return (flags_ >> static_cast<uint32_t>(flag)) & 1U;
}

int32_t BuilderConfigDouble::addOptimizationProfile(nvinfer1::IOptimizationProfile const* profile) noexcept {
  BuilderConfigStub::addOptimizationProfile(profile);
  auto const* own = static_cast<ProfileDouble const*>(profile);
  if (!own || !own->isValid()) return -1;
  profiles_.push_back(own);
  return static_cast<int32_t>(profiles_.size()) - 1;
}

void BuilderConfigDouble::setMemoryPoolLimit(nvinfer1::MemoryPoolType pool, std::size_t bytes) noexcept {
  BuilderConfigStub::setMemoryPoolLimit(pool, bytes);
  std::string const name = enumName(pool);
  // TensorRT says so in its log only, and keeps the limit that was there.
  if (name.rfind("kDLA", 0) == 0 && settingNumber("TRT_DOUBLE_DLA", 0) == 0) {
    logError(logger_,
             "IBuilderConfig::setMemoryPoolLimit: Error Code 3: API Usage Error (" + name + ": no DLA here)");
    return;
  }
  poolLimits_[pool] = bytes;
}

std::size_t BuilderConfigDouble::getMemoryPoolLimit(nvinfer1::MemoryPoolType pool) const noexcept {
  auto limit = poolLimits_.find(pool);
  return limit == poolLimits_.end() ? 0 : limit->second;
}

void BuilderConfigDouble::setBuilderOptimizationLevel(int32_t level) noexcept {
  BuilderConfigStub::setBuilderOptimizationLevel(level);
  level_ = level;
}

BuilderConfigDouble::SetAuxStreams BuilderConfigDouble::setMaxAuxStreams(int32_t streams) noexcept {
  auxStreams_ = streams;
  return BuilderConfigStub::setMaxAuxStreams(streams);
}

void BuilderConfigDouble::setProfilingVerbosity(nvinfer1::ProfilingVerbosity verbosity) noexcept {
  BuilderConfigStub::setProfilingVerbosity(verbosity);
  verbosity_ = verbosity;
}

void BuilderConfigDouble::setHardwareCompatibilityLevel(nvinfer1::HardwareCompatibilityLevel level) noexcept {
  BuilderConfigStub::setHardwareCompatibilityLevel(level);
  hardwareLevel_ = level;
}

nvinfer1::ITimingCache* BuilderConfigDouble::createTimingCache(void const* blob,
                                                               std::size_t size) const noexcept {
  enter("IBuilderConfig::createTimingCache");
  return TimingCacheDouble::read(blob, size).release();
}

bool BuilderConfigDouble::setTimingCache(nvinfer1::ITimingCache const& cache, bool ignoreMismatch) noexcept {
  BuilderConfigStub::setTimingCache(cache, ignoreMismatch);
  // The caller keeps the cache, and TensorRT adds to it while it builds.
  auto& own = const_cast<TimingCacheDouble&>(static_cast<TimingCacheDouble const&>(cache));
  if (!own.matchesDevice() && !ignoreMismatch) return false;
  timingCache_ = &own;
  return true;
}

void BuilderConfigDouble::setProgressMonitor(nvinfer1::IProgressMonitor* monitor) noexcept {
  BuilderConfigStub::setProgressMonitor(monitor);
  monitor_ = monitor;
}

Json BuilderConfigDouble::toJson() const {
  Json profiles = Json::array();
  for (ProfileDouble const* profile : profiles_) profiles.push(profile->toJson());
  return Json::object(
      {{"calls", notes()}, {"flags", flagsToJson<nvinfer1::BuilderFlag>(flags_)}, {"profiles", profiles}});
}

// ---- builder

nvinfer1::IBuilderConfig* BuilderDouble::createBuilderConfig() noexcept {
  return injected(logger_, "IBuilder::createBuilderConfig") ? nullptr
                                                            : new BuilderConfigDouble(factory_, logger_);
}

nvinfer1::INetworkDefinition* BuilderDouble::createNetworkV2(
    nvinfer1::NetworkDefinitionCreationFlags flags) noexcept {
  return injected(logger_, "IBuilder::createNetworkV2") ? nullptr
                                                        : new NetworkDouble(factory_, flags, plugins_);
}

nvinfer1::IOptimizationProfile* BuilderDouble::createOptimizationProfile() noexcept {
  if (injected(logger_, "IBuilder::createOptimizationProfile")) return nullptr;
  profiles_.push_back(std::make_unique<ProfileDouble>());
  return profiles_.back().get();
}

std::string BuilderDouble::problem(NetworkDouble const& network, BuilderConfigDouble const& config) const {
  for (int32_t i = 0; i < network.getNbInputs(); ++i) {
    auto const& input = static_cast<TensorDouble const&>(*network.getInput(i));
    if (!isDynamic(input.shape())) continue;
    if (config.profiles().empty()) {
      return "IBuilder::buildSerializedNetwork: Error Code 4: API Usage Error (Network has dynamic or shape "
             "inputs, but "
             "no optimization profile has been defined.)";
    }
    for (ProfileDouble const* profile : config.profiles()) {
      auto range = profile->ranges().find(input.getName());
      bool const fits = range != profile->ranges().end() && range->second.min.size() == input.shape().size();
      if (!fits) {
        return std::string("Error Code 4: API Usage Error (") + input.getName() +
               ": optimization profile does not fit its dimensions)";
      }
    }
  }
  return "";
}

bool BuilderDouble::reportProgress(nvinfer1::IProgressMonitor* monitor) const {
  long const steps = settingNumber("TRT_DOUBLE_BUILD_STEPS", 3);
  long const stepMs = settingNumber("TRT_DOUBLE_BUILD_STEP_MS", 0);
  auto const wait = [&] { std::this_thread::sleep_for(std::chrono::milliseconds(stepMs)); };
  if (!monitor) {
    for (long i = 0; i < steps; ++i) wait();
    return true;
  }
  bool going = true;
  monitor->phaseStart("Building an engine (stand-in)", nullptr, 1);
  monitor->phaseStart("Timing kernels (stand-in)", "Building an engine (stand-in)",
                      static_cast<int32_t>(steps));
  for (long i = 0; going && i < steps; ++i) {
    wait();
    going = monitor->stepComplete("Timing kernels (stand-in)", static_cast<int32_t>(i));
  }
  monitor->phaseFinish("Timing kernels (stand-in)");
  if (going) going = monitor->stepComplete("Building an engine (stand-in)", 0);
  monitor->phaseFinish("Building an engine (stand-in)");
  return going;
}

nvinfer1::IHostMemory* BuilderDouble::buildSerializedNetwork(nvinfer1::INetworkDefinition& networkView,
                                                             nvinfer1::IBuilderConfig& configView) noexcept {
  if (injected(logger_, "IBuilder::buildSerializedNetwork")) return nullptr;
  auto& network = static_cast<NetworkDouble&>(networkView);
  auto& config = static_cast<BuilderConfigDouble&>(configView);
  std::string const wrong = problem(network, config);
  if (!wrong.empty()) {
    logError(logger_, wrong);
    return nullptr;
  }
  if (!reportProgress(config.getProgressMonitor())) {
    logError(logger_, "IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (BuildCanceled)");
    return nullptr;
  }
  Json tensors = Json::array();
  auto const addTensor = [&](nvinfer1::ITensor const& tensor, char const* mode) {
    tensors.push(Json::object({{"name", tensor.getName()},
                               {"mode", mode},
                               {"type", enumName(tensor.getType())},
                               {"shape", trt_double::toJson(tensor.getDimensions())},
                               {"location", "device"}}));
    if (config.timingCache())
      config.timingCache()->entries.insert(std::string("kernel for ") + tensor.getName());
  };
  for (int32_t i = 0; i < network.getNbInputs(); ++i) addTensor(*network.getInput(i), "input");
  for (int32_t i = 0; i < network.getNbOutputs(); ++i) addTensor(*network.getOutput(i), "output");
  Json profiles = Json::array();
  for (ProfileDouble const* profile : config.profiles()) profiles.push(profile->toJson());
  Json const engine = Json::object({{"tensors", tensors}, {"profiles", profiles}, {"rules", network.rules}});
  Json const told = Json::object(
      {{"network",
        Json::object({{"flags", flagsToJson<nvinfer1::NetworkDefinitionCreationFlag>(network.getFlags())},
                      {"layers", network.getNbLayers()}})},
       {"plugins", plugins_.loaded()},
       {"config", config.toJson()}});
  return new HostMemoryDouble(
      writePlan(Json::object({{"standIn", "plan of a test double; no TensorRT can load it"},
                              {"engine", engine},
                              {"builder", told}})));
}

}  // namespace trt_double
