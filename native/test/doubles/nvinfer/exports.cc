// libnvinfer / libtensorrt_rtx: NOT NVIDIA's TensorRT but a stand-in for tests on machines without a GPU. Its
// classes implement the interfaces of the family's own headers; see native/test/README.md.
#include "builder.h"
#include "parser.h"
#include "runtime.h"

using namespace trt_double;

namespace {

/** TensorRT takes callers of its own major version. The headers pack it as major * 10000 (10.x: 8.x: * 1000).
 */
bool acceptsVersion(int32_t version) {
  return version == NV_TENSORRT_VERSION;
}

#ifdef TRT_DOUBLE_RTX
constexpr bool kBuildsWithoutGpu = true;
#else
constexpr bool kBuildsWithoutGpu = false;
#endif

/** Whether there is a GPU and the calling thread has its context. */
bool onGpu(char const* function) {
  CudaHooks const* cuda = CudaHooks::find();
  return cuda && cuda->requireContext(function);
}

}  // namespace

#define API extern "C" TRT_DOUBLE_EXPORT

API void* createInferBuilder_INTERNAL(void* logger, int32_t version) noexcept {
  auto& log = *static_cast<nvinfer1::ILogger*>(logger);
  if (!acceptsVersion(version) || injected(log, "createInferBuilder_INTERNAL")) return nullptr;
  if (!kBuildsWithoutGpu && !onGpu("createInferBuilder_INTERNAL")) {
    logError(log, "createInferBuilder: Error Code 6: API Usage Error (CUDA initialization failure)");
    return nullptr;
  }
  return static_cast<nvinfer1::IBuilder*>(new BuilderDouble(log));
}

API void* createInferRuntime_INTERNAL(void* logger, int32_t version) noexcept {
  auto& log = *static_cast<nvinfer1::ILogger*>(logger);
  if (!acceptsVersion(version) || injected(log, "createInferRuntime_INTERNAL")) return nullptr;
  // What TensorRT 10.15 does on a machine without a driver: no null, and no object either.
  if (!onGpu("createInferRuntime_INTERNAL")) return reinterpret_cast<void*>(0x238);
  return static_cast<nvinfer1::IRuntime*>(new RuntimeDouble(log));
}

API void* createInferRefitter_INTERNAL(void* engine, void* logger, int32_t version) noexcept {
  auto& log = *static_cast<nvinfer1::ILogger*>(logger);
  if (!acceptsVersion(version) || injected(log, "createInferRefitter_INTERNAL")) return nullptr;
  auto& own = static_cast<EngineDouble&>(*static_cast<nvinfer1::ICudaEngine*>(engine));
  return own.isRefittable() ? static_cast<nvinfer1::IRefitter*>(new RefitterDouble(own, log)) : nullptr;
}

/** The way in for the parser library, which cannot see this one's classes. */
API void* trtDoubleCreateParser(void* network, void* logger, int version) noexcept {
  auto& log = *static_cast<nvinfer1::ILogger*>(logger);
  if (version != NV_ONNX_PARSER_VERSION || injected(log, "createNvOnnxParser_INTERNAL")) return nullptr;
  auto& own = static_cast<NetworkDouble&>(*static_cast<nvinfer1::INetworkDefinition*>(network));
  return static_cast<nvonnxparser::IParser*>(new ParserDouble(own, log));
}

API int32_t getInferLibVersion() noexcept {
  return NV_TENSORRT_VERSION;
}
API int32_t getInferLibMajorVersion() noexcept {
  return NV_TENSORRT_MAJOR;
}
API int32_t getInferLibMinorVersion() noexcept {
  return NV_TENSORRT_MINOR;
}
API int32_t getInferLibPatchVersion() noexcept {
  return NV_TENSORRT_PATCH;
}
API int32_t getInferLibBuildVersion() noexcept {
  return NV_TENSORRT_BUILD;
}
