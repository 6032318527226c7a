#include "cuda/primary_context.h"

#include <string>

#include "loader/error.h"

namespace trtnode {

PrimaryContext::PrimaryContext(int ordinal) : cuda_(CudaDriver::requireDevice()) {
  int count = 0;
  cuda_.check(cuda_.deviceGetCount(&count), "cuDeviceGetCount");
  if (ordinal < 0 || ordinal >= count) {
    throw Error(
        ErrorCode::kGpuNotFound,
        "expected a device from 0 to " + std::to_string(count - 1) + ", received " + std::to_string(ordinal),
        "tensorrt-node doctor lists the GPUs");
  }
  cuda_.check(cuda_.deviceGet(&device_, ordinal), "cuDeviceGet");
  cuda_.check(cuda_.primaryContextRetain(&context_, device_), "cuDevicePrimaryCtxRetain");
}

PrimaryContext::~PrimaryContext() {
  cuda_.primaryContextRelease(device_);
}

void PrimaryContext::makeCurrent() const {
  cuda_.check(cuda_.contextSetCurrent(context_), "cuCtxSetCurrent");
}

PrimaryContext::Scope::Scope(PrimaryContext const& context) : cuda_(context.cuda_) {
  cuda_.check(cuda_.contextPushCurrent(context.context_), "cuCtxPushCurrent");
}

PrimaryContext::Scope::~Scope() {
  CuContext popped = nullptr;
  cuda_.contextPopCurrent(&popped);
}

}  // namespace trtnode
