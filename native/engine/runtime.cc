#include "engine/runtime.h"

#include <algorithm>
#include <utility>

#include "engine/files.h"
#include "engine/tensorrt_family.h"
#include "loader/error.h"
#include "loader/nvinfer_api.h"

namespace trtnode {
namespace {

Error loadError(Logger const& logger, std::string const& what) {
  std::string const errors = logger.errors();
  if (speaksOfMemory(errors)) return {ErrorCode::kOutOfMemory, what + ":\n" + errors};
  return {
      ErrorCode::kLoadFailed, what + (errors.empty() ? "" : ":\n" + errors),
      "build the engine again with the TensorRT and for the GPU of this machine; a version-compatible plan "
      "from a source that you trust needs allowHostCode: true"};
}

}  // namespace

std::shared_ptr<LoadedEngine> LoadedEngine::load(LoadRequest const& request, LogSink log) {
  // The driver is asked first, in PrimaryContext: without one, TensorRT may give back garbage pointers.
  std::shared_ptr<Logger> const logger = Logger::acquire(std::move(log));
  std::shared_ptr<LoadedEngine> loaded(new LoadedEngine(request.device, logger));
  loaded->gpu_->context().makeCurrent();
  NvinferApi const api = NvinferApi::load(request.nvinfer, NV_TENSORRT_MAJOR, family::kOldestMinor);
  loaded->runtime_.reset(
      static_cast<nvinfer1::IRuntime*>(api.createRuntime(logger.get(), NV_TENSORRT_VERSION)));
  if (loaded->runtime_ == nullptr) throw loadError(*logger, "TensorRT made no runtime");

  std::vector<char> file;
  if (!request.path.empty()) {
    file = readFileIfThere(request.path);
    if (file.empty()) throw Error(ErrorCode::kInvalidEngine, request.path + " is missing or empty");
  }
  void const* plan = request.path.empty() ? static_cast<void const*>(request.bytes.data()) : file.data();
  size_t const size = request.path.empty() ? request.bytes.size() : file.size();
  if (!request.plugins.empty()) {
    loaded->plugins_.emplace(loaded->runtime_->getPluginRegistry(), request.plugins, *logger);
  }
  loaded->runtime_->setEngineHostCodeAllowed(request.allowHostCode);
  loaded->engine_.reset(loaded->runtime_->deserializeCudaEngine(plan, size));
  if (loaded->engine_ == nullptr) throw loadError(*logger, "TensorRT did not take the engine");
  loaded->api_ = api;
  // Before the sizes are asked for, which depend on it.
  if (request.streamingBudget.has_value()) loaded->limitStreaming(*request.streamingBudget);
  EngineInfo info = infoOf(*loaded->engine_, api.minor);
  info.streamableBytes = loaded->info_.streamableBytes;
  info.streamingBudget = loaded->info_.streamingBudget;
  loaded->info_ = std::move(info);
  if (request.profile) loaded->layerTimes_ = std::make_shared<LayerTimes>();
  loaded->info_.version = api.version;
  loaded->mostGraphs_ = request.mostGraphs;
  loaded->checkFreeMemory(request.contexts);
  return loaded;
}

void LoadedEngine::limitStreaming(int64_t budget) {
  if (api_.minor < family::kMemorySizesSince) {
    throw Error(ErrorCode::kUnsupported, "TensorRT " + api_.version + " has no budget for weight streaming",
                "use 10.1 or later");
  }
  int64_t const streamable = engine_->getStreamableWeightsSize();
  if (streamable <= 0) {
    throw Error(ErrorCode::kUnsupported, "the engine has no weights that can be streamed",
                "build it with weightStreaming: true, or load it without weightStreamingBudget");
  }
  // More than all is all: TensorRT then streams nothing.
  int64_t const wanted =
      budget < 0 ? engine_->getWeightStreamingAutomaticBudget() : std::min(budget, streamable);
  if (!engine_->setWeightStreamingBudgetV2(wanted)) {
    throw loadError(
        *logger_, "TensorRT did not take a weight streaming budget of " + std::to_string(wanted) + " bytes");
  }
  info_.streamableBytes = streamable;
  info_.streamingBudget = engine_->getWeightStreamingBudgetV2();
}

std::string LoadedEngine::describeLayers() const {
  std::unique_ptr<nvinfer1::IEngineInspector> const inspector(engine_->createEngineInspector());
  char const* const text = inspector == nullptr
                               ? nullptr
                               : inspector->getEngineInformation(nvinfer1::LayerInformationFormat::kJSON);
  if (text == nullptr) {
    throw Error(ErrorCode::kInferenceFailed, "TensorRT told nothing of the engine's layers:\n" + errors());
  }
  return text;
}

// Before TensorRT is asked, which says of memory that ran out neither how much was needed nor what to do.
void LoadedEngine::checkFreeMemory(int contexts) const {
  int64_t const activation = info_.activationBytes;
  if (activation <= 0) return;
  size_t free = 0;
  size_t total = 0;
  CudaDriver const& cuda = gpu_->cuda();
  cuda.check(cuda.memGetInfo(&free, &total), "cuMemGetInfo");
  auto const needed = static_cast<uint64_t>(activation) * static_cast<uint64_t>(contexts);
  if (needed <= free) return;
  std::string const many = contexts > 1 ? "fewer contexts, or " : "";
  throw Error(ErrorCode::kOutOfMemory,
              std::to_string(contexts) + " execution context" + (contexts > 1 ? "s" : "") + " of " +
                  std::to_string(activation) + " bytes of activation memory each: " + std::to_string(needed) +
                  " bytes needed, " + std::to_string(free) + " of the GPU's " + std::to_string(total) +
                  " free",
              "load with " + many + largestDimension(info_));
}

void LoadedEngine::fail(std::string const& what, Stream const& stream) const {
  std::string const logged = errors();
  std::string const message = what + (logged.empty() ? "" : ":\n" + logged);
  // TensorRT says no more than that it failed; where it was CUDA that did, CUDA says so again.
  CudaDriver const& cuda = gpu_->cuda();
  CuResult const state = cuda.streamSynchronize(stream.get());
  if (isLost(state)) cuda.check(state, message.c_str());
  throw Error(speaksOfMemory(logged) ? ErrorCode::kOutOfMemory : ErrorCode::kInferenceFailed, message);
}

}  // namespace trtnode
