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
  loaded->info_ = infoOf(*loaded->engine_, api.minor);
  loaded->info_.version = api.version;
  loaded->minor_ = api.minor;
  loaded->mostGraphs_ = request.mostGraphs;
  loaded->checkFreeMemory(request.contexts);
  return loaded;
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
