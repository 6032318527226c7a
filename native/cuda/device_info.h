#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trtnode {

struct DeviceInfo {
  std::string name;
  std::string computeCapability;  // as NVIDIA numbers it, e.g. "8.9"
  uint64_t memoryBytes;
};

struct CudaInfo {
  int driverVersion = 0;  // 1000 * major + 10 * minor of the newest CUDA that the driver serves; 0: no driver
  std::vector<DeviceInfo> devices;
  std::string reason;  // why there is no device, where there is none
};

// What there is on this machine; never throws because of what there is not.
CudaInfo cudaInfo();

}  // namespace trtnode
