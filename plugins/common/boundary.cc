#include "boundary.h"

#include <atomic>
#include <cstdio>
#include <string>

// Weak: the library also loads where TensorRT is not, or is loaded for others alone.
extern "C" __attribute__((weak)) nvinfer1::ILogger* getLogger() noexcept;

namespace tensorrt_node {
namespace {

std::atomic<void*> loggerFinder{nullptr};

nvinfer1::ILogger* logger() {
#if TENSORRT_NODE_HAS_PLUGIN_V3
  if (auto* const finder = static_cast<nvinfer1::ILoggerFinder*>(loggerFinder.load()))
    return finder->findLogger();
#endif
  return getLogger == nullptr ? nullptr : getLogger();
}

}  // namespace

void useLoggerFinder(void* finder) noexcept {
  loggerFinder = finder;
}

void logError(char const* where, char const* message) noexcept {
  try {
    std::string const text = std::string(where) + ": " + message;
    if (nvinfer1::ILogger* const log = logger()) {
      log->log(nvinfer1::ILogger::Severity::kERROR, text.c_str());
    } else {
      std::fprintf(stderr, "[tensorrt-node plugins] %s\n", text.c_str());
    }
  } catch (...) {
    // Out of memory, or a logger that throws: there is nobody left to tell.
  }
}

std::string describe(Shape const& shape) {
  std::string text = "[";
  for (int d = 0; d < shape.rank; ++d) text += (d > 0 ? ", " : "") + std::to_string(shape.extent[d]);
  return text + "]";
}

}  // namespace tensorrt_node
