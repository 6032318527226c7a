// A device's primary context: it outlives nothing that was made in it, and a failed kernel or copy poisons
// it.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "driver_types.h"

namespace trt_double {

struct Context {
  explicit Context(int deviceOrdinal) : device(deviceOrdinal) {}

  int const device;
  std::atomic<bool> destroyed{false};
  /** An asynchronous error: documented to stay until the context is gone. */
  std::atomic<CUresult> sticky{CUDA_SUCCESS};
  /** Things made in the context that are still there: allocations, streams, events. */
  std::atomic<int> children{0};
};

}  // namespace trt_double
