#pragma once

#include <cstddef>

#include "cuda/gpu_memory.h"

namespace trtnode {

// Owns device memory, which grows and never shrinks: a service sends the same sizes again and again. The
// context has to be current on the thread that reserves or destroys.
class DeviceBuffer {
 public:
  // For memory that gpu.deviceBytes is not to tell of.
  struct Uncounted {};

  explicit DeviceBuffer(GpuMemory& gpu) noexcept : gpu_(gpu), counted_(true) {}
  DeviceBuffer(GpuMemory& gpu, Uncounted) noexcept : gpu_(gpu), counted_(false) {}
  ~DeviceBuffer() { release(); }
  DeviceBuffer(DeviceBuffer const&) = delete;
  DeviceBuffer& operator=(DeviceBuffer const&) = delete;

  // Makes room for `bytes`; what was in it is lost when it grows. No work may be using it.
  void reserve(size_t bytes) {
    // TensorRT wants an address even for an empty tensor.
    size_t const wanted = bytes > 0 ? bytes : 1;
    if (wanted <= capacity_) return;
    release();
    gpu_.cuda().check(gpu_.cuda().memAlloc(&pointer_, wanted), "cuMemAlloc");
    capacity_ = wanted;
    if (counted_) gpu_.deviceBytes += wanted;
  }

  CuDevicePtr get() const noexcept { return pointer_; }
  void* address() const noexcept { return reinterpret_cast<void*>(pointer_); }
  size_t capacity() const noexcept { return capacity_; }

 private:
  void release() noexcept {
    if (capacity_ > 0) gpu_.cuda().memFree(pointer_);
    if (counted_) gpu_.deviceBytes -= capacity_;
    pointer_ = 0;
    capacity_ = 0;
  }

  GpuMemory& gpu_;
  bool const counted_;
  CuDevicePtr pointer_ = 0;
  size_t capacity_ = 0;
};

}  // namespace trtnode
