// The recording builder of the TensorRT double: what it was told goes into the plan, where a test reads it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "engine_spec.h"
#include "network.h"
#include "plugin_registry.h"

namespace trt_double {

class ProfileDouble final : public nvinfer1::OptimizationProfileStub {
 public:
  bool setDimensions(char const* input, nvinfer1::OptProfileSelector select,
                     nvinfer1::Dims const& dims) noexcept override;
  nvinfer1::Dims getDimensions(char const* input,
                               nvinfer1::OptProfileSelector select) const noexcept override;
  bool isValid() const noexcept override;

  std::map<std::string, RangeSpec> const& ranges() const { return ranges_; }
  Json toJson() const;

 private:
  std::map<std::string, RangeSpec> ranges_;
};

/** A timing cache is text: a line that names the GPU it was measured on, then one line a kernel. */
class TimingCacheDouble final : public nvinfer1::TimingCacheStub {
 public:
  /** Null where the blob is none. */
  static std::unique_ptr<TimingCacheDouble> read(void const* blob, size_t size);

  nvinfer1::IHostMemory* serialize() const noexcept override;
  bool combine(nvinfer1::ITimingCache const& other, bool ignoreMismatch) noexcept override;
  bool reset() noexcept override;

  bool matchesDevice() const;
  std::set<std::string> entries;

 private:
  TimingCacheDouble();

  std::string device_;
  Alive const alive_{"timingCaches"};
};

class BuilderConfigDouble final : public nvinfer1::BuilderConfigStub {
 public:
  BuilderConfigDouble(Factory& builder, nvinfer1::ILogger& logger);

  void setFlags(nvinfer1::BuilderFlags flags) noexcept override;
  void setFlag(nvinfer1::BuilderFlag flag) noexcept override;
  void clearFlag(nvinfer1::BuilderFlag flag) noexcept override;
  bool getFlag(nvinfer1::BuilderFlag flag) const noexcept override;
  nvinfer1::BuilderFlags getFlags() const noexcept override { return flags_; }
  int32_t addOptimizationProfile(nvinfer1::IOptimizationProfile const* profile) noexcept override;
  int32_t getNbOptimizationProfiles() const noexcept override {
    return static_cast<int32_t>(profiles_.size());
  }
  void setMemoryPoolLimit(nvinfer1::MemoryPoolType pool, std::size_t bytes) noexcept override;
  std::size_t getMemoryPoolLimit(nvinfer1::MemoryPoolType pool) const noexcept override;
  void setBuilderOptimizationLevel(int32_t level) noexcept override;
  int32_t getBuilderOptimizationLevel() const noexcept override { return level_; }
  // A bool for TensorRT-RTX, nothing for the others.
  using SetAuxStreams = decltype(std::declval<BuilderConfigStub&>().setMaxAuxStreams(0));
  SetAuxStreams setMaxAuxStreams(int32_t streams) noexcept override;
  int32_t getMaxAuxStreams() const noexcept override { return auxStreams_; }
  void setProfilingVerbosity(nvinfer1::ProfilingVerbosity verbosity) noexcept override;
  nvinfer1::ProfilingVerbosity getProfilingVerbosity() const noexcept override { return verbosity_; }
  void setHardwareCompatibilityLevel(nvinfer1::HardwareCompatibilityLevel level) noexcept override;
  nvinfer1::HardwareCompatibilityLevel getHardwareCompatibilityLevel() const noexcept override {
    return hardwareLevel_;
  }
  nvinfer1::ITimingCache* createTimingCache(void const* blob, std::size_t size) const noexcept override;
  bool setTimingCache(nvinfer1::ITimingCache const& cache, bool ignoreMismatch) noexcept override;
  nvinfer1::ITimingCache const* getTimingCache() const noexcept override { return timingCache_; }
  void setProgressMonitor(nvinfer1::IProgressMonitor* monitor) noexcept override;
  nvinfer1::IProgressMonitor* getProgressMonitor() const noexcept override { return monitor_; }

  std::vector<ProfileDouble const*> const& profiles() const { return profiles_; }
  TimingCacheDouble* timingCache() const { return timingCache_; }
  Json toJson() const;

 private:
  Factory::Product const product_;
  nvinfer1::ILogger& logger_;
  nvinfer1::BuilderFlags flags_;
  int32_t level_ = 3;
  int32_t auxStreams_ = -1;
  nvinfer1::ProfilingVerbosity verbosity_ = nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY;
  nvinfer1::HardwareCompatibilityLevel hardwareLevel_ = nvinfer1::HardwareCompatibilityLevel::kNONE;
  std::map<nvinfer1::MemoryPoolType, std::size_t> poolLimits_;
  std::vector<ProfileDouble const*> profiles_;
  TimingCacheDouble* timingCache_ = nullptr;
  nvinfer1::IProgressMonitor* monitor_ = nullptr;
  Alive const alive_{"builderConfigs"};
};

class BuilderDouble final : public nvinfer1::BuilderStub {
 public:
  explicit BuilderDouble(nvinfer1::ILogger& logger) : logger_(logger) {}

  nvinfer1::IBuilderConfig* createBuilderConfig() noexcept override;
  nvinfer1::INetworkDefinition* createNetworkV2(
      nvinfer1::NetworkDefinitionCreationFlags flags) noexcept override;
  nvinfer1::IOptimizationProfile* createOptimizationProfile() noexcept override;
  nvinfer1::IHostMemory* buildSerializedNetwork(nvinfer1::INetworkDefinition& network,
                                                nvinfer1::IBuilderConfig& config) noexcept override;
  nvinfer1::ILogger* getLogger() const noexcept override { return &logger_; }
  nvinfer1::IPluginRegistry& getPluginRegistry() noexcept override { return plugins_; }

 private:
  /** An empty text: nothing is wrong. */
  std::string problem(NetworkDouble const& network, BuilderConfigDouble const& config) const;
  bool reportProgress(nvinfer1::IProgressMonitor* monitor) const;

  nvinfer1::ILogger& logger_;
  PluginRegistryDouble plugins_{logger_};
  Factory factory_{"IBuilder"};
  std::vector<std::unique_ptr<ProfileDouble>> profiles_;
  Alive const alive_{"builders"};
};

}  // namespace trt_double
