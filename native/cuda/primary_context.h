#pragma once

#include "loader/cuda_driver.h"

namespace trtnode {

// A device's primary context, which cudart (inside TensorRT) uses as well. Retained for as long as this
// lives.
class PrimaryContext {
 public:
  // Throws Error GPU_NOT_FOUND where the machine has no device `ordinal`.
  explicit PrimaryContext(int ordinal);
  ~PrimaryContext();
  PrimaryContext(PrimaryContext const&) = delete;
  PrimaryContext& operator=(PrimaryContext const&) = delete;

  // Every thread that calls CUDA or TensorRT calls this first.
  void makeCurrent() const;

  CudaDriver const& cuda() const noexcept { return cuda_; }

  // Makes it current for as long as this lives, on a thread that is somebody else's, such as JavaScript's.
  class Scope {
   public:
    explicit Scope(PrimaryContext const& context);
    ~Scope();
    Scope(Scope const&) = delete;
    Scope& operator=(Scope const&) = delete;

   private:
    CudaDriver const& cuda_;
  };

 private:
  CudaDriver const& cuda_;
  CuDevice device_ = 0;
  CuContext context_ = nullptr;
};

}  // namespace trtnode
