#pragma once

#include <NvInferRuntime.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cuda/gpu_memory.h"
#include "cuda/stream.h"
#include "engine/blob.h"
#include "engine/device_memory.h"
#include "engine/engine_info.h"
#include "engine/graph_counts.h"
#include "engine/layer_times.h"
#include "engine/logger.h"
#include "engine/plugin_library.h"
#include "loader/nvinfer_api.h"

namespace trtnode {

// New weights, named as the model's initializers are.
struct NamedWeights {
  std::string name;
  std::string type;  // a DataType of src/tensor.ts
  Blob data;
};

struct LoadRequest {
  std::string nvinfer;  // path of libnvinfer / libtensorrt_rtx
  std::string path;     // of the plan; either this or the bytes
  std::vector<uint8_t> bytes;
  std::vector<std::string> plugins;  // paths of plugin libraries
  int device = 0;
  int contexts = 1;
  bool allowHostCode = false;  // the plan may bring code that runs in this process
  size_t mostGraphs = 0;       // CUDA graphs of each context; 0: none
  bool profile = false;        // whether the layers are timed
  // Bytes of device memory for weights that can be streamed; below 0: as TensorRT thinks best.
  std::optional<int64_t> streamingBudget;
};

// A deserialized engine with all that must outlive it: logger ⊃ primary context ⊃ runtime ⊃ plugins ⊃ engine.
// An execution context holds a share of this, so nothing goes before its last user.
class LoadedEngine {
 public:
  // The calling thread gets the device's primary context. Throws Error, OUT_OF_MEMORY also where the GPU has
  // not the memory that request.contexts execution contexts need.
  static std::shared_ptr<LoadedEngine> load(LoadRequest const& request, LogSink log);

  // What its buffers lie on. Shared, as memory in JavaScript's hands may outlive the engine.
  std::shared_ptr<GpuMemory> const& gpu() const noexcept { return gpu_; }
  std::shared_ptr<SpareMemory> const& spare() const noexcept { return spare_; }
  nvinfer1::ICudaEngine& engine() const noexcept { return *engine_; }
  EngineInfo const& info() const noexcept { return info_; }
  // The last errors that TensorRT logged, and a way to begin anew.
  std::string errors() const { return logger_->errors(); }
  void forgetErrors() { logger_->forgetErrors(); }
  // Throws Error of a call of TensorRT that failed, GPU_LOST where `stream` says so, with what was logged.
  [[noreturn]] void fail(std::string const& what, Stream const& stream) const;

  int32_t minor() const noexcept { return api_.minor; }  // of the library's version
  size_t mostGraphs() const noexcept { return mostGraphs_; }
  std::shared_ptr<GraphCounts> const& graphs() const noexcept { return graphs_; }
  // Null where they are not timed.
  std::shared_ptr<LayerTimes> const& layerTimes() const noexcept { return layerTimes_; }

  // TensorRT's JSON about the engine. Throws Error.
  std::string describeLayers() const;

  // Gives the engine new weights, while no context runs. Throws Error UNSUPPORTED where it is not refittable,
  // INVALID_INPUT where weights are missing, unknown or of another type or size, INFERENCE_FAILED.
  void refit(std::vector<NamedWeights> const& weights);
  // How often it had new ones: what graphs hold of it is no longer valid then.
  uint64_t refits() const noexcept { return refits_; }

 private:
  LoadedEngine(int device, std::shared_ptr<Logger> logger)
      : logger_(std::move(logger)),
        gpu_(std::make_shared<GpuMemory>(device)),
        spare_(std::make_shared<SpareMemory>(gpu_)) {}

  void limitStreaming(int64_t budget);
  void checkFreeMemory(int contexts) const;

  // In this order: members are destroyed from the last to the first.
  std::shared_ptr<Logger> logger_;
  std::shared_ptr<GpuMemory> gpu_;
  std::shared_ptr<SpareMemory> spare_;
  std::shared_ptr<LayerTimes> layerTimes_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::optional<PluginLibraries> plugins_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  EngineInfo info_;
  NvinferApi api_;
  size_t mostGraphs_ = 0;
  std::shared_ptr<GraphCounts> const graphs_ = std::make_shared<GraphCounts>();
  std::atomic<uint64_t> refits_{0};
};

}  // namespace trtnode
