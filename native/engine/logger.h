#pragma once

#include <NvInferRuntime.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace trtnode {

enum class LogLevel { kError, kWarning, kInfo, kDebug };

// Takes one line. Called on any thread, TensorRT's own among them.
using LogSink = std::function<void(LogLevel, std::string)>;

// Passes TensorRT's log on, and remembers the last errors for the message of the error that follows.
//
// TensorRT keeps the first logger of the process as its global one and may use it after the builder or
// runtime that brought it is gone. So a logger is never destroyed: it is handed out, comes back, and is
// handed out again. A stray line of the global logger then goes to whoever has it, or nowhere.
class Logger final : public nvinfer1::ILogger {
 public:
  static std::shared_ptr<Logger> acquire(LogSink sink);

  void log(Severity severity, nvinfer1::AsciiChar const* message) noexcept override;

  // The last errors, oldest first, one a line; empty where there were none.
  std::string errors() const;
  void forgetErrors();

 private:
  Logger() = default;
  void setSink(LogSink sink);

  mutable std::mutex mutex_;
  LogSink sink_;
  std::deque<std::string> errors_;
};

// Whether what TensorRT logged tells of memory, of the host or the GPU, that ran out.
bool speaksOfMemory(std::string const& errors);

}  // namespace trtnode
