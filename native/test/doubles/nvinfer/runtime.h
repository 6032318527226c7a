// Runtime, engine and execution context of the TensorRT double.
#pragma once

#include <map>
#include <memory>

#include "engine_spec.h"
#include "plugin_registry.h"
#include "support.h"

namespace trt_double {

class RuntimeDouble final : public nvinfer1::RuntimeStub {
 public:
  explicit RuntimeDouble(nvinfer1::ILogger& logger) : logger_(logger) {}
  ~RuntimeDouble() noexcept override;

  nvinfer1::ICudaEngine* deserializeCudaEngine(void const* blob, std::size_t size) noexcept override;
  void setEngineHostCodeAllowed(bool allowed) noexcept override { hostCodeAllowed_ = allowed; }
  bool getEngineHostCodeAllowed() const noexcept override { return hostCodeAllowed_; }
  nvinfer1::ILogger* getLogger() const noexcept override { return &logger_; }
  nvinfer1::IPluginRegistry& getPluginRegistry() noexcept override { return plugins_; }

 private:
  nvinfer1::ILogger& logger_;
  bool hostCodeAllowed_ = false;
  PluginRegistryDouble plugins_{logger_};
  Factory factory_{"IRuntime"};
  Alive const alive_{"runtimes"};
};

class EngineDouble final : public nvinfer1::CudaEngineStub {
 public:
  EngineDouble(Factory& runtime, nvinfer1::ILogger& logger, CudaHooks const& cuda, EngineSpec spec,
               CUdeviceptr weights);
  ~EngineDouble() noexcept override;

  EngineSpec const& spec() const { return spec_; }

  nvinfer1::ICudaEngine* getPImpl() noexcept override { return this; }
  char const* getName() const noexcept override { return "stand-in engine (test double)"; }
  int32_t getNbLayers() const noexcept override { return static_cast<int32_t>(spec_.rules.size()); }
  int32_t getNbAuxStreams() const noexcept override { return 0; }
  int32_t getNbOptimizationProfiles() const noexcept override {
    return static_cast<int32_t>(spec_.profiles.size());
  }
  int32_t getNbIOTensors() const noexcept override { return static_cast<int32_t>(spec_.tensors.size()); }
  char const* getIOTensorName(int32_t index) const noexcept override;
  nvinfer1::TensorIOMode getTensorIOMode(char const* name) const noexcept override;
  nvinfer1::TensorFormat getTensorFormat(char const* name) const noexcept override;
  nvinfer1::DataType getTensorDataType(char const* name) const noexcept override;
  nvinfer1::TensorLocation getTensorLocation(char const* name) const noexcept override;
  nvinfer1::Dims getTensorShape(char const* name) const noexcept override;
  nvinfer1::Dims getProfileShape(char const* name, int32_t profile,
                                 nvinfer1::OptProfileSelector select) const noexcept override;
  bool isShapeInferenceIO(char const* name) const noexcept override;
  bool isRefittable() const noexcept override { return spec_.refittable; }
  nvinfer1::IEngineInspector* createEngineInspector() const noexcept override;
  int64_t getStreamableWeightsSize() const noexcept override { return spec_.streamableBytes; }
  bool setWeightStreamingBudgetV2(int64_t budget) noexcept override;
  int64_t getWeightStreamingBudgetV2() const noexcept override { return streamingBudget_; }
  int64_t getWeightStreamingAutomaticBudget() const noexcept override { return spec_.streamableBytes / 2; }

  /** The names of what a refit can change, with their values: `factor:<output>` of each scaleBy. */
  std::map<std::string, float>& factors() { return factors_; }
  /** Contexts with queued work, during which no refit may be. */
  std::atomic<int>& busy() { return *busy_; }
  std::shared_ptr<std::atomic<int>> const& sharedBusy() const { return busy_; }
  Factory& factory() { return factory_; }
  int64_t getDeviceMemorySizeV2() const noexcept override;
  int64_t getDeviceMemorySizeForProfileV2(int32_t profile) const noexcept override;
  int64_t getEngineStat(nvinfer1::EngineStat stat) const noexcept override;
  nvinfer1::IExecutionContext* createExecutionContext(
      nvinfer1::ExecutionContextAllocationStrategy strategy) noexcept override;

 private:
  static constexpr int64_t kWeightsBytes = 256;

  friend class RuntimeDouble;
  friend class ExecutionContextDouble;

  Factory::Product const product_;
  nvinfer1::ILogger& logger_;
  CudaHooks const& cuda_;
  EngineSpec const spec_;
  CUdeviceptr const weights_;
  std::map<std::string, float> factors_;
  int64_t streamingBudget_;
  std::atomic<int> contexts_{0};
  std::shared_ptr<std::atomic<int>> const busy_ = std::make_shared<std::atomic<int>>(0);
  mutable Factory inspectors_{"ICudaEngine (inspectors)"};
  Factory factory_{"ICudaEngine"};
  Alive const alive_{"engines"};
};

class EngineInspectorDouble final : public nvinfer1::EngineInspectorStub {
 public:
  EngineInspectorDouble(Factory& engineFactory, EngineSpec const& spec);
  char const* getEngineInformation(nvinfer1::LayerInformationFormat format) const noexcept override;

 private:
  Factory::Product const product_;
  std::string json_;
  Alive const alive_{"engineInspectors"};
};

class RefitterDouble final : public nvinfer1::RefitterStub {
 public:
  RefitterDouble(EngineDouble& engine, nvinfer1::ILogger& logger)
      : product_(engine.factory()), engine_(engine), logger_(logger) {}

  bool setNamedWeights(char const* name, nvinfer1::Weights weights) noexcept override;
  int32_t getMissingWeights(int32_t size, char const** names) noexcept override;
  int32_t getAllWeights(int32_t size, char const** names) noexcept override;
  nvinfer1::Weights getWeightsPrototype(char const* name) const noexcept override;
  bool refitCudaEngine() noexcept override;

 private:
  Factory::Product const product_;
  EngineDouble& engine_;
  nvinfer1::ILogger& logger_;
  std::map<std::string, float const*> given_;
  Alive const alive_{"refitters"};
};

class ExecutionContextDouble final : public nvinfer1::ExecutionContextStub {
 public:
  ExecutionContextDouble(Factory& engineFactory, EngineDouble& engine, nvinfer1::ILogger& logger,
                         CudaHooks const& cuda, CUdeviceptr scratch);
  ~ExecutionContextDouble() noexcept override;

  nvinfer1::IExecutionContext* getPImpl() noexcept override { return this; }
  nvinfer1::ICudaEngine const& getEngine() const noexcept override { return engine_; }
  int32_t getOptimizationProfile() const noexcept override { return profile_; }
  bool setOptimizationProfileAsync(int32_t profile, cudaStream_t stream) noexcept override;
  bool setInputShape(char const* name, nvinfer1::Dims const& dims) noexcept override;
  nvinfer1::Dims getTensorShape(char const* name) const noexcept override;
  bool allInputDimensionsSpecified() const noexcept override;
  int32_t inferShapes(int32_t maxNames, char const** names) noexcept override;
  bool setTensorAddress(char const* name, void* data) noexcept override;
  bool setInputTensorAddress(char const* name, void const* data) noexcept override;
  bool setOutputTensorAddress(char const* name, void* data) noexcept override;
  void const* getTensorAddress(char const* name) const noexcept override;
  bool setOutputAllocator(char const* name, nvinfer1::IOutputAllocator* allocator) noexcept override;
  void setDeviceMemoryV2(void* memory, int64_t size) noexcept override;
  void setProfiler(nvinfer1::IProfiler* profiler) noexcept override { profiler_ = profiler; }
  void setEnqueueEmitsProfile(bool emits) noexcept override { enqueueEmitsProfile_ = emits; }
  bool reportToProfiler() const noexcept override;
  bool enqueueV3(cudaStream_t stream) noexcept override;

 private:
  struct Run;

  bool refuse(std::string const& why) const;
  void noteChange();
  bool bind(char const* function, char const* name, void const* data, bool input, bool output);
  std::vector<int64_t> outputShape(TensorSpec const& output) const;
  bool enqueueOutput(TensorSpec const& output, cudaStream_t stream);
  bool submit(std::unique_ptr<Run> run, CUstream stream);

  Factory::Product const product_;
  EngineDouble& engine_;
  nvinfer1::ILogger& logger_;
  CudaHooks const& cuda_;
  CUdeviceptr const scratch_;  // 0 where the user brings it
  TrtDoubleRange usersScratch_{0, 0};
  int32_t profile_ = 0;
  nvinfer1::IProfiler* profiler_ = nullptr;
  bool enqueueEmitsProfile_ = true;
  std::map<std::string, std::vector<int64_t>> shapes_;
  std::map<std::string, void*> addresses_;
  std::map<std::string, nvinfer1::IOutputAllocator*> allocators_;
  /** Calls under way, which the documentation allows one thread at a time. */
  mutable std::atomic<int> users_{0};
  std::shared_ptr<std::atomic<int>> const pending_ = std::make_shared<std::atomic<int>>(0);
  /** How often it was told something: a graph that was captured before the last time must not be launched. */
  std::shared_ptr<std::atomic<int>> const changes_ = std::make_shared<std::atomic<int>>(0);
  /** Whether it has computed since it was told something, before which there is nothing to capture. */
  bool warm_ = false;
  Alive const alive_{"executionContexts"};
};

}  // namespace trt_double
