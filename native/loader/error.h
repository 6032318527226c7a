#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace trtnode {

// The codes of src/errors.ts that native code can give.
enum class ErrorCode {
  kInvalidArgument,
  kFileNotFound,
  kIoError,
  kInvalidModel,
  kUnsupportedOp,
  kInvalidShapes,
  kInvalidEngine,
  kInvalidInput,
  kInvalidPlugin,
  kPluginFailed,
  kUnsupported,
  kTensorrtNotFound,
  kGpuNotFound,
  kBuildFailed,
  kLoadFailed,
  kInferenceFailed,
  kOutOfMemory,
  kGpuLost,
  kAborted,
  kClosed,
};

// The code as TypeScript spells it, e.g. "BUILD_FAILED".
char const* nameOf(ErrorCode code) noexcept;

// The one exception of the native side; binding/error_to_js makes a JavaScript error of it.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string const& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  ErrorCode code() const noexcept { return code_; }
  std::string const& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string hint_;
};

}  // namespace trtnode
