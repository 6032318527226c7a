#include "loader/error.h"

namespace trtnode {

char const* nameOf(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorCode::kFileNotFound:
      return "FILE_NOT_FOUND";
    case ErrorCode::kIoError:
      return "IO_ERROR";
    case ErrorCode::kInvalidModel:
      return "INVALID_MODEL";
    case ErrorCode::kUnsupportedOp:
      return "UNSUPPORTED_OP";
    case ErrorCode::kInvalidShapes:
      return "INVALID_SHAPES";
    case ErrorCode::kInvalidEngine:
      return "INVALID_ENGINE";
    case ErrorCode::kInvalidInput:
      return "INVALID_INPUT";
    case ErrorCode::kInvalidPlugin:
      return "INVALID_PLUGIN";
    case ErrorCode::kPluginFailed:
      return "PLUGIN_FAILED";
    case ErrorCode::kUnsupported:
      return "UNSUPPORTED";
    case ErrorCode::kTensorrtNotFound:
      return "TENSORRT_NOT_FOUND";
    case ErrorCode::kGpuNotFound:
      return "GPU_NOT_FOUND";
    case ErrorCode::kBuildFailed:
      return "BUILD_FAILED";
    case ErrorCode::kLoadFailed:
      return "LOAD_FAILED";
    case ErrorCode::kInferenceFailed:
      return "INFERENCE_FAILED";
    case ErrorCode::kOutOfMemory:
      return "OUT_OF_MEMORY";
    case ErrorCode::kGpuLost:
      return "GPU_LOST";
    case ErrorCode::kAborted:
      return "ABORTED";
    case ErrorCode::kClosed:
      return "CLOSED";
  }
  return "INFERENCE_FAILED";
}

}  // namespace trtnode
