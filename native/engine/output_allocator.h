#pragma once

#include <NvInferRuntime.h>

#include "cuda/device_buffer.h"

namespace trtnode {

// Room for an output whose shape depends on the data: TensorRT says how much it needs while it runs.
class OutputAllocator final : public nvinfer1::IOutputAllocator {
 public:
  explicit OutputAllocator(DeviceBuffer& buffer) noexcept : buffer_(buffer) {}

  void* reallocateOutputAsync(char const*, void*, uint64_t size, uint64_t, cudaStream_t) noexcept override {
    try {
      buffer_.reserve(size);
      return buffer_.address();
    } catch (...) {
      failed_ = true;
      return nullptr;  // TensorRT then fails the run
    }
  }

  void notifyShape(char const*, nvinfer1::Dims const& dims) noexcept override { dims_ = dims; }

  // Forgets the run before.
  void reset() noexcept {
    failed_ = false;
    dims_.nbDims = -1;
  }

  nvinfer1::Dims const& dims() const noexcept { return dims_; }
  bool failed() const noexcept { return failed_; }

 private:
  DeviceBuffer& buffer_;
  nvinfer1::Dims dims_{};
  bool failed_ = false;
};

}  // namespace trtnode
