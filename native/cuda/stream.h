#pragma once

#include "loader/cuda_driver.h"

namespace trtnode {

// Owns a stream. A CUstream is what TensorRT's interface calls a cudaStream_t.
class Stream {
 public:
  explicit Stream(CudaDriver const& cuda) : cuda_(cuda) {
    cuda_.check(cuda_.streamCreate(&stream_, kCuStreamNonBlocking), "cuStreamCreate");
  }
  ~Stream() { cuda_.streamDestroy(stream_); }
  Stream(Stream const&) = delete;
  Stream& operator=(Stream const&) = delete;

  CuStream get() const noexcept { return stream_; }
  void synchronize() const { cuda_.check(cuda_.streamSynchronize(stream_), "cuStreamSynchronize"); }
  // For error paths, where the first error is the one to report.
  void drain() const noexcept { cuda_.streamSynchronize(stream_); }

 private:
  CudaDriver const& cuda_;
  CuStream stream_ = nullptr;
};

}  // namespace trtnode
