#pragma once

#include <cstdint>
#include <string>

namespace trtnode {

// The C entry points of libnvinfer / libtensorrt_rtx. What they return is C++ of the family's headers; see
// engine/tensorrt_family.h.
struct NvinferApi {
  // Throws Error TENSORRT_NOT_FOUND where the library does not load, LOAD_FAILED where its version is not of
  // `major` (the one whose headers this addon was compiled with), or older than `major`.`oldestMinor`.
  static NvinferApi load(std::string const& path, int32_t major, int32_t oldestMinor);

  void* (*createBuilder)(void* logger, int32_t version) = nullptr;
  void* (*createRuntime)(void* logger, int32_t version) = nullptr;
  // Null where the library has none, as TensorRT's lean runtime.
  void* (*createRefitter)(void* engine, void* logger, int32_t version) = nullptr;
  // E.g. "1.7.1.116", or "10.15.1" for a library that does not tell its build number.
  std::string version;
  int32_t minor = 0;
};

// The C entry point of the ONNX parser library.
struct OnnxParserApi {
  // Throws Error TENSORRT_NOT_FOUND.
  static OnnxParserApi load(std::string const& path);

  void* (*createParser)(void* network, void* logger, int version) = nullptr;
};

}  // namespace trtnode
