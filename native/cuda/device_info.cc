#include "cuda/device_info.h"

#include "loader/cuda_driver.h"

namespace trtnode {

CudaInfo cudaInfo() {
  CudaInfo info;
  CudaDriver const* cuda = CudaDriver::find(&info.reason);
  if (cuda == nullptr) return info;
  cuda->driverGetVersion(&info.driverVersion);
  int count = 0;
  if (CuResult const result = cuda->deviceGetCount(&count); result != kCudaSuccess) {
    info.reason = cuda->describe(result);
    return info;
  }
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    CuDevice device = 0;
    char name[256] = "";
    size_t memory = 0;
    int major = 0;
    int minor = 0;
    CuResult result = cuda->deviceGet(&device, ordinal);
    if (result == kCudaSuccess) result = cuda->deviceGetName(name, sizeof name, device);
    if (result == kCudaSuccess) result = cuda->deviceTotalMem(&memory, device);
    if (result == kCudaSuccess) {
      result = cuda->deviceGetAttribute(&major, kCuAttributeComputeCapabilityMajor, device);
    }
    if (result == kCudaSuccess) {
      result = cuda->deviceGetAttribute(&minor, kCuAttributeComputeCapabilityMinor, device);
    }
    if (result != kCudaSuccess) {
      info.reason = "device " + std::to_string(ordinal) + ": " + cuda->describe(result);
      continue;
    }
    info.devices.push_back({name, std::to_string(major) + "." + std::to_string(minor), memory});
  }
  if (count == 0) info.reason = "the NVIDIA driver is here, but no GPU";
  return info;
}

}  // namespace trtnode
