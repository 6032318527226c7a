#include "engine/runtime.h"

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
  loaded->context_.makeCurrent();
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
  loaded->info_ = infoOf(*loaded->engine_);
  loaded->info_.version = api.version;
  return loaded;
}

}  // namespace trtnode
