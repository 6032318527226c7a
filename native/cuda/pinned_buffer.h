#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "cuda/gpu_memory.h"

namespace trtnode {

// Owns page-locked host memory, which grows and never shrinks: the GPU reads and writes it by itself, where a
// copy from pageable memory goes by way of the driver's own. The context has to be current on the thread that
// reserves or destroys.
class PinnedBuffer {
 public:
  explicit PinnedBuffer(GpuMemory& gpu) noexcept : gpu_(gpu) {}
  ~PinnedBuffer() { release(); }
  PinnedBuffer(PinnedBuffer&& other) noexcept
      : gpu_(other.gpu_),
        pointer_(std::exchange(other.pointer_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  PinnedBuffer(PinnedBuffer const&) = delete;
  PinnedBuffer& operator=(PinnedBuffer const&) = delete;

  // Makes room for `bytes`; what was in it is lost when it grows. No work may be using it.
  void reserve(size_t bytes) {
    // An empty tensor has an address too.
    size_t const wanted = bytes > 0 ? bytes : 1;
    if (wanted <= capacity_) return;
    release();
    gpu_.cuda().check(gpu_.cuda().memHostAlloc(&pointer_, wanted, 0), "cuMemHostAlloc");
    capacity_ = wanted;
    gpu_.pinnedBytes += wanted;
  }

  uint8_t* data() const noexcept { return static_cast<uint8_t*>(pointer_); }
  size_t capacity() const noexcept { return capacity_; }

 private:
  void release() noexcept {
    if (capacity_ > 0) gpu_.cuda().memFreeHost(pointer_);
    gpu_.pinnedBytes -= capacity_;
    pointer_ = nullptr;
    capacity_ = 0;
  }

  GpuMemory& gpu_;
  void* pointer_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace trtnode
