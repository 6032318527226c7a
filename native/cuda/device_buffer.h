#pragma once

#include <cstddef>

#include "loader/cuda_driver.h"

namespace trtnode {

// Owns device memory, which grows and never shrinks: a service sends the same sizes again and again.
class DeviceBuffer {
 public:
  explicit DeviceBuffer(CudaDriver const& cuda) noexcept : cuda_(cuda) {}
  ~DeviceBuffer() { release(); }
  DeviceBuffer(DeviceBuffer const&) = delete;
  DeviceBuffer& operator=(DeviceBuffer const&) = delete;

  // Makes room for `bytes`; what was in it is lost when it grows. No work may be using it.
  void reserve(size_t bytes) {
    // TensorRT wants an address even for an empty tensor.
    size_t const wanted = bytes > 0 ? bytes : 1;
    if (wanted <= capacity_) return;
    release();
    cuda_.check(cuda_.memAlloc(&pointer_, wanted), "cuMemAlloc");
    capacity_ = wanted;
  }

  CuDevicePtr get() const noexcept { return pointer_; }
  void* address() const noexcept { return reinterpret_cast<void*>(pointer_); }
  size_t capacity() const noexcept { return capacity_; }

 private:
  void release() noexcept {
    if (capacity_ > 0) cuda_.memFree(pointer_);
    pointer_ = 0;
    capacity_ = 0;
  }

  CudaDriver const& cuda_;
  CuDevicePtr pointer_ = 0;
  size_t capacity_ = 0;
};

}  // namespace trtnode
