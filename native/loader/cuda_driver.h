#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace trtnode {

// The part of the CUDA driver API that this addon uses, declared here as NVIDIA documents it ("CUDA Driver
// API"), so that no CUDA toolkit is needed to compile. The names with _v2 are those the library exports;
// cuda.h maps the plain names onto them.
using CuResult = int;
using CuDevice = int;
using CuDevicePtr = unsigned long long;
struct CuContextTag;
using CuContext = CuContextTag*;
struct CuStreamTag;
using CuStream = CuStreamTag*;
struct CuEventTag;
using CuEvent = CuEventTag*;
struct CuGraphTag;
using CuGraph = CuGraphTag*;
struct CuGraphExecTag;
using CuGraphExec = CuGraphExecTag*;

constexpr CuResult kCudaSuccess = 0;
constexpr CuResult kCudaErrorOutOfMemory = 2;
constexpr unsigned int kCuStreamNonBlocking = 1;
constexpr int kCuStreamCaptureThreadLocal = 1;
constexpr int kCuAttributeMemoryClockRate = 36;       // kHz
constexpr int kCuAttributeGlobalMemoryBusWidth = 37;  // bits
constexpr int kCuAttributeComputeCapabilityMajor = 75;
constexpr int kCuAttributeComputeCapabilityMinor = 76;

// Whether the context is lost with this error: CUDA gives no work and no memory in it any more, until the
// process ends. Those that the CUDA Driver API documents so ("the context is in an inconsistent state…"), and
// those of a driver or a device that went away.
bool isLost(CuResult result) noexcept;

// libcuda.so.1, which the NVIDIA driver brings. Loaded once in a process, at the first call that asks for it.
struct CudaDriver {
  // The driver, after cuInit; null where there is none, with the cause in `*reason`.
  static CudaDriver const* find(std::string* reason);
  // The driver with at least one device. Throws Error GPU_NOT_FOUND.
  //
  // Ask this before TensorRT: without a driver, TensorRT 10.15's createInferRuntime_INTERNAL returned a
  // garbage pointer (0x238) that is not null.
  static CudaDriver const& requireDevice();

  // "CUDA_ERROR_OUT_OF_MEMORY: out of memory"
  std::string describe(CuResult result) const;
  // Throws Error OUT_OF_MEMORY, GPU_LOST where no later call can succeed either (see isLost), otherwise
  // INFERENCE_FAILED, naming `what` failed.
  void check(CuResult result, char const* what) const {
    if (result != kCudaSuccess) fail(result, what);
  }
  [[noreturn]] void fail(CuResult result, char const* what) const;

  CuResult (*init)(unsigned int flags) = nullptr;
  CuResult (*driverGetVersion)(int* version) = nullptr;
  CuResult (*deviceGetCount)(int* count) = nullptr;
  CuResult (*deviceGet)(CuDevice* device, int ordinal) = nullptr;
  CuResult (*deviceGetName)(char* name, int length, CuDevice device) = nullptr;
  CuResult (*deviceTotalMem)(size_t* bytes, CuDevice device) = nullptr;
  CuResult (*deviceGetAttribute)(int* value, int attribute, CuDevice device) = nullptr;
  CuResult (*primaryContextRetain)(CuContext* context, CuDevice device) = nullptr;
  CuResult (*primaryContextRelease)(CuDevice device) = nullptr;
  CuResult (*contextSetCurrent)(CuContext context) = nullptr;
  CuResult (*contextPushCurrent)(CuContext context) = nullptr;
  CuResult (*contextPopCurrent)(CuContext* context) = nullptr;
  CuResult (*memAlloc)(CuDevicePtr* pointer, size_t bytes) = nullptr;
  CuResult (*memFree)(CuDevicePtr pointer) = nullptr;
  CuResult (*memGetInfo)(size_t* free, size_t* total) = nullptr;
  CuResult (*memHostAlloc)(void** pointer, size_t bytes, unsigned int flags) = nullptr;
  CuResult (*memFreeHost)(void* pointer) = nullptr;
  CuResult (*memcpyHtoDAsync)(CuDevicePtr to, void const* from, size_t bytes, CuStream stream) = nullptr;
  CuResult (*memcpyDtoHAsync)(void* to, CuDevicePtr from, size_t bytes, CuStream stream) = nullptr;
  CuResult (*memcpyDtoDAsync)(CuDevicePtr to, CuDevicePtr from, size_t bytes, CuStream stream) = nullptr;
  CuResult (*streamCreate)(CuStream* stream, unsigned int flags) = nullptr;
  CuResult (*streamDestroy)(CuStream stream) = nullptr;
  CuResult (*streamSynchronize)(CuStream stream) = nullptr;
  CuResult (*streamBeginCapture)(CuStream stream, int mode) = nullptr;
  CuResult (*streamEndCapture)(CuStream stream, CuGraph* graph) = nullptr;
  CuResult (*graphInstantiate)(CuGraphExec* executable, CuGraph graph, unsigned long long flags) = nullptr;
  CuResult (*graphLaunch)(CuGraphExec executable, CuStream stream) = nullptr;
  CuResult (*graphExecDestroy)(CuGraphExec executable) = nullptr;
  CuResult (*graphDestroy)(CuGraph graph) = nullptr;
  CuResult (*eventCreate)(CuEvent* event, unsigned int flags) = nullptr;
  CuResult (*eventDestroy)(CuEvent event) = nullptr;
  CuResult (*eventRecord)(CuEvent event, CuStream stream) = nullptr;
  CuResult (*eventElapsedTime)(float* milliseconds, CuEvent start, CuEvent end) = nullptr;
  CuResult (*getErrorName)(CuResult result, char const** name) = nullptr;
  CuResult (*getErrorString)(CuResult result, char const** text) = nullptr;
};

}  // namespace trtnode
