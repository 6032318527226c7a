#include "engine/logger.h"

#include <utility>
#include <vector>

namespace trtnode {
namespace {

constexpr size_t kRememberedErrors = 5;

struct Pool {
  std::mutex mutex;
  std::vector<Logger*> idle;
};

Pool& pool() {
  static Pool& instance = *new Pool;  // outlives every thread
  return instance;
}

LogLevel levelOf(nvinfer1::ILogger::Severity severity) {
  using Severity = nvinfer1::ILogger::Severity;
  switch (severity) {
    case Severity::kINTERNAL_ERROR:
    case Severity::kERROR:
      return LogLevel::kError;
    case Severity::kWARNING:
      return LogLevel::kWarning;
    case Severity::kINFO:
      return LogLevel::kInfo;
    case Severity::kVERBOSE:
      return LogLevel::kDebug;
  }
  return LogLevel::kDebug;
}

}  // namespace

std::shared_ptr<Logger> Logger::acquire(LogSink sink) {
  Logger* logger = nullptr;
  {
    std::lock_guard<std::mutex> const lock(pool().mutex);
    if (!pool().idle.empty()) {
      logger = pool().idle.back();
      pool().idle.pop_back();
    }
  }
  if (logger == nullptr) logger = new Logger;
  logger->setSink(std::move(sink));
  return std::shared_ptr<Logger>(logger, [](Logger* returned) {
    returned->setSink(nullptr);
    std::lock_guard<std::mutex> const lock(pool().mutex);
    pool().idle.push_back(returned);
  });
}

void Logger::setSink(LogSink sink) {
  std::lock_guard<std::mutex> const lock(mutex_);
  sink_ = std::move(sink);
  errors_.clear();
}

void Logger::log(Severity severity, nvinfer1::AsciiChar const* message) noexcept {
  try {
    LogLevel const level = levelOf(severity);
    std::lock_guard<std::mutex> const lock(mutex_);
    if (level == LogLevel::kError) {
      errors_.emplace_back(message);
      if (errors_.size() > kRememberedErrors) errors_.pop_front();
    }
    if (sink_) sink_(level, message);
  } catch (...) {
    // A lost line of the log is all that may come of it.
  }
}

bool speaksOfMemory(std::string const& errors) {
  // The last one is what a thread that gets no memory for its stack says.
  for (char const* sign : {"OutOfMemory", "out of memory", "bad_alloc", "Cannot allocate memory",
                           "Resource temporarily unavailable"}) {
    if (errors.find(sign) != std::string::npos) return true;
  }
  return false;
}

std::string Logger::errors() const {
  std::lock_guard<std::mutex> const lock(mutex_);
  std::string text;
  for (std::string const& error : errors_) text += (text.empty() ? "" : "\n") + error;
  return text;
}

void Logger::forgetErrors() {
  std::lock_guard<std::mutex> const lock(mutex_);
  errors_.clear();
}

}  // namespace trtnode
