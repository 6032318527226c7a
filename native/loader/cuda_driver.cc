#include "loader/cuda_driver.h"

#include <stdexcept>

#include "loader/error.h"
#include "loader/shared_library.h"

namespace trtnode {
namespace {

constexpr char kLibrary[] = "libcuda.so.1";
constexpr char kLostHint[] =
    "CUDA does nothing more in this process: end it and start it again; where that does not help, see "
    "nvidia-smi and the kernel's log (Xid)";

template <class Function>
void bind(SharedLibrary const& library, char const* name, Function*& slot) {
  slot = library.function<Function>(name);
}

struct Lookup {
  CudaDriver driver;
  std::string failure;  // empty: the driver is there
};

Lookup lookUp() {
  Lookup found;
  CudaDriver& cuda = found.driver;
  try {
    SharedLibrary const library(kLibrary);
    bind(library, "cuInit", cuda.init);
    bind(library, "cuDriverGetVersion", cuda.driverGetVersion);
    bind(library, "cuDeviceGetCount", cuda.deviceGetCount);
    bind(library, "cuDeviceGet", cuda.deviceGet);
    bind(library, "cuDeviceGetName", cuda.deviceGetName);
    bind(library, "cuDeviceTotalMem_v2", cuda.deviceTotalMem);
    bind(library, "cuDeviceGetAttribute", cuda.deviceGetAttribute);
    bind(library, "cuDevicePrimaryCtxRetain", cuda.primaryContextRetain);
    bind(library, "cuDevicePrimaryCtxRelease_v2", cuda.primaryContextRelease);
    bind(library, "cuCtxSetCurrent", cuda.contextSetCurrent);
    bind(library, "cuCtxPushCurrent_v2", cuda.contextPushCurrent);
    bind(library, "cuCtxPopCurrent_v2", cuda.contextPopCurrent);
    bind(library, "cuMemAlloc_v2", cuda.memAlloc);
    bind(library, "cuMemFree_v2", cuda.memFree);
    bind(library, "cuMemGetInfo_v2", cuda.memGetInfo);
    bind(library, "cuMemHostAlloc", cuda.memHostAlloc);
    bind(library, "cuMemFreeHost", cuda.memFreeHost);
    bind(library, "cuMemcpyHtoDAsync_v2", cuda.memcpyHtoDAsync);
    bind(library, "cuMemcpyDtoHAsync_v2", cuda.memcpyDtoHAsync);
    bind(library, "cuMemcpyDtoDAsync_v2", cuda.memcpyDtoDAsync);
    bind(library, "cuStreamCreate", cuda.streamCreate);
    bind(library, "cuStreamDestroy_v2", cuda.streamDestroy);
    bind(library, "cuStreamSynchronize", cuda.streamSynchronize);
    bind(library, "cuStreamBeginCapture_v2", cuda.streamBeginCapture);
    bind(library, "cuStreamEndCapture", cuda.streamEndCapture);
    bind(library, "cuGraphInstantiateWithFlags", cuda.graphInstantiate);
    bind(library, "cuGraphLaunch", cuda.graphLaunch);
    bind(library, "cuGraphExecDestroy", cuda.graphExecDestroy);
    bind(library, "cuGraphDestroy", cuda.graphDestroy);
    bind(library, "cuEventCreate", cuda.eventCreate);
    bind(library, "cuEventDestroy_v2", cuda.eventDestroy);
    bind(library, "cuEventRecord", cuda.eventRecord);
    bind(library, "cuEventElapsedTime", cuda.eventElapsedTime);
    bind(library, "cuGetErrorName", cuda.getErrorName);
    bind(library, "cuGetErrorString", cuda.getErrorString);
  } catch (std::runtime_error const& error) {
    found.failure = std::string("no NVIDIA driver: ") + error.what();
    return found;
  }
  CuResult const result = cuda.init(0);
  if (result != kCudaSuccess) found.failure = "the NVIDIA driver does not start: " + cuda.describe(result);
  return found;
}

}  // namespace

bool isLost(CuResult result) noexcept {
  switch (result) {
    case 4:    // CUDA_ERROR_DEINITIALIZED
    case 46:   // CUDA_ERROR_DEVICE_UNAVAILABLE
    case 100:  // CUDA_ERROR_NO_DEVICE
    case 201:  // CUDA_ERROR_INVALID_CONTEXT
    case 214:  // CUDA_ERROR_ECC_UNCORRECTABLE
    case 220:  // CUDA_ERROR_NVLINK_UNCORRECTABLE
    case 226:  // CUDA_ERROR_CONTAINED
    case 700:  // CUDA_ERROR_ILLEGAL_ADDRESS
    case 702:  // CUDA_ERROR_LAUNCH_TIMEOUT
    case 709:  // CUDA_ERROR_CONTEXT_IS_DESTROYED
    case 710:  // CUDA_ERROR_ASSERT
    case 714:  // CUDA_ERROR_HARDWARE_STACK_ERROR
    case 715:  // CUDA_ERROR_ILLEGAL_INSTRUCTION
    case 716:  // CUDA_ERROR_MISALIGNED_ADDRESS
    case 717:  // CUDA_ERROR_INVALID_ADDRESS_SPACE
    case 718:  // CUDA_ERROR_INVALID_PC
    case 719:  // CUDA_ERROR_LAUNCH_FAILED
    case 999:  // CUDA_ERROR_UNKNOWN
      return true;
    default:
      return false;
  }
}

CudaDriver const* CudaDriver::find(std::string* reason) {
  // Never destroyed: engines may still be closing while the process exits.
  static Lookup const& found = *new Lookup(lookUp());
  if (!found.failure.empty()) {
    if (reason != nullptr) *reason = found.failure;
    return nullptr;
  }
  return &found.driver;
}

CudaDriver const& CudaDriver::requireDevice() {
  constexpr char hint[] =
      "tensorrt-node doctor shows the driver and the GPUs; without one, use backend: 'onnxruntime'";
  std::string reason;
  CudaDriver const* cuda = find(&reason);
  if (cuda == nullptr) throw Error(ErrorCode::kGpuNotFound, reason, hint);
  int count = 0;
  CuResult const result = cuda->deviceGetCount(&count);
  if (result != kCudaSuccess) throw Error(ErrorCode::kGpuNotFound, cuda->describe(result), hint);
  if (count < 1) throw Error(ErrorCode::kGpuNotFound, "the NVIDIA driver is here, but no GPU", hint);
  return *cuda;
}

std::string CudaDriver::describe(CuResult result) const {
  char const* name = nullptr;
  char const* text = nullptr;
  if (getErrorName(result, &name) != kCudaSuccess || name == nullptr)
    return "CUDA error " + std::to_string(result);
  if (getErrorString(result, &text) != kCudaSuccess || text == nullptr) return name;
  return std::string(name) + ": " + text;
}

void CudaDriver::fail(CuResult result, char const* what) const {
  std::string const message = std::string(what) + " failed: " + describe(result);
  if (isLost(result)) throw Error(ErrorCode::kGpuLost, message, kLostHint);
  throw Error(result == kCudaErrorOutOfMemory ? ErrorCode::kOutOfMemory : ErrorCode::kInferenceFailed,
              message);
}

}  // namespace trtnode
