#include "loader/nvinfer_api.h"

#include <stdexcept>

#include "loader/error.h"
#include "loader/shared_library.h"

namespace trtnode {
namespace {

constexpr char kInstallHint[] = "tensorrt-node doctor lists every TensorRT found on this machine";

struct Version {
  int32_t major;
  int32_t minor;
  std::string text;
};

Version versionOf(SharedLibrary const& library) {
  using Part = int32_t();
  auto* major = library.optionalFunction<Part>("getInferLibMajorVersion");
  auto* minor = library.optionalFunction<Part>("getInferLibMinorVersion");
  auto* patch = library.optionalFunction<Part>("getInferLibPatchVersion");
  auto* build = library.optionalFunction<Part>("getInferLibBuildVersion");
  if (major != nullptr && minor != nullptr && patch != nullptr) {
    std::string text =
        std::to_string(major()) + "." + std::to_string(minor()) + "." + std::to_string(patch());
    if (build != nullptr) text += "." + std::to_string(build());
    return {major(), minor(), text};
  }
  // TensorRT 10's own packing: major * 10000 + minor * 100 + patch.
  int32_t const packed = library.function<Part>("getInferLibVersion")();
  int32_t const packedMinor = packed / 100 % 100;
  return {packed / 10000, packedMinor,
          std::to_string(packed / 10000) + "." + std::to_string(packedMinor) + "." +
              std::to_string(packed % 100)};
}

}  // namespace

NvinferApi NvinferApi::load(std::string const& path, int32_t major, int32_t oldestMinor) {
  NvinferApi api;
  Version version{};
  try {
    SharedLibrary const library(path);
    version = versionOf(library);
    api.version = version.text;
    api.minor = version.minor;
    api.createBuilder = library.function<void*(void*, int32_t)>("createInferBuilder_INTERNAL");
    api.createRuntime = library.function<void*(void*, int32_t)>("createInferRuntime_INTERNAL");
    api.createRefitter =
        library.optionalFunction<void*(void*, void*, int32_t)>("createInferRefitter_INTERNAL");
  } catch (std::runtime_error const& error) {
    throw Error(ErrorCode::kTensorrtNotFound, "cannot load TensorRT from " + path + ": " + error.what(),
                kInstallHint);
  }
  if (version.major != major || version.minor < oldestMinor) {
    throw Error(ErrorCode::kLoadFailed,
                path + " is version " + api.version + ", expected " + std::to_string(major) + "." +
                    std::to_string(oldestMinor) + " or a later " + std::to_string(major) + ".x",
                kInstallHint);
  }
  return api;
}

OnnxParserApi OnnxParserApi::load(std::string const& path) {
  try {
    SharedLibrary const library(path);
    OnnxParserApi api;
    api.createParser = library.function<void*(void*, void*, int)>("createNvOnnxParser_INTERNAL");
    return api;
  } catch (std::runtime_error const& error) {
    throw Error(ErrorCode::kTensorrtNotFound,
                "cannot load TensorRT's ONNX parser from " + path + ": " + error.what(), kInstallHint);
  }
}

}  // namespace trtnode
