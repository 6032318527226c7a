// The line that no exception crosses. Code within throws PluginError; every method that TensorRT calls is
// noexcept and goes through `guarded`, which logs what was thrown and gives back what TensorRT takes for a
// failure.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "tensorrt.h"

namespace tensorrt_node {

/** Why a plugin cannot do what was asked: what was expected, what came. */
class PluginError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/** Logs an error with the logger TensorRT gave (or, on its own, on stderr), `where` in front. Never throws.
 */
void logError(char const* where, char const* message) noexcept;

/** Where messages go from now on; null for TensorRT's own logger. */
void useLoggerFinder(void* finder) noexcept;

template <class Result, class Work>
Result guarded(char const* where, Result failure, Work&& work) noexcept {
  try {
    return work();
  } catch (std::exception const& error) {
    logError(where, error.what());
  } catch (...) {
    logError(where, "an exception of unknown type");
  }
  return failure;
}

}  // namespace tensorrt_node
