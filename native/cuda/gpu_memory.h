#pragma once

#include <atomic>
#include <cstddef>

#include "cuda/primary_context.h"

namespace trtnode {

// The device that an engine's buffers lie on, and how many bytes they take there and of the host's pinned
// memory. The counts may be read from any thread.
class GpuMemory {
 public:
  explicit GpuMemory(int device) : context_(device) {}

  PrimaryContext const& context() const noexcept { return context_; }
  CudaDriver const& cuda() const noexcept { return context_.cuda(); }

  std::atomic<size_t> deviceBytes{0};
  std::atomic<size_t> pinnedBytes{0};

 private:
  PrimaryContext context_;
};

}  // namespace trtnode
