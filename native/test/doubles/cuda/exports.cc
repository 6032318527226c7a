// libcuda.so.1: NOT NVIDIA's driver but a stand-in for tests on machines without a GPU. Answers as the CUDA
// Driver API is documented, keeps device memory on the host, and runs every stream on a thread of its own.
// Settings (environment): see native/test/README.md.
//
// Long, as it has one function for each entry point of the driver that anybody here calls, and nothing else.
#include <cstdio>
#include <cstring>
#include <memory>

#include "../common/ledger.h"
#include "driver.h"
#include "driver_types.h"
#include "hooks.h"
#include "memory.h"

using namespace trt_double;
using Needs = Call::Needs;

namespace {

/** TRT_DOUBLE_IDLE: what a steady run calls does nothing, so that the time of a run is what its caller adds.
 */
bool const idle = settingNumber("TRT_DOUBLE_IDLE", 0) != 0;

/** The code of an injected asynchronous failure of `function`, as `async:<function>` in TRT_DOUBLE_FAIL asks
 * for it. */
CUresult asyncFailure(char const* function) {
  Injection const injection = enter(std::string("async:") + function);
  return injection.fails ? static_cast<CUresult>(injection.code) : CUDA_SUCCESS;
}

CUresult copyAsync(char const* function, void* host, CUdeviceptr device, size_t bytes, CUstream handle,
                   bool toHost) {
  return perform(function, Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    if (bytes == 0) return CUDA_SUCCESS;
    // std::function copies, so that what it holds must be shared.
    auto span = std::make_shared<Span>(Memory::get().deviceSpan(device, bytes, function));
    if (!*span) return CUDA_ERROR_INVALID_VALUE;
    auto pinned = std::make_shared<Span>(Memory::get().pinnedSpan(host, bytes, function));
    stream->submit([=] {
      CUresult const failure = asyncFailure(function);
      if (failure != CUDA_SUCCESS) return failure;
      if (toHost)
        std::memcpy(host, span->data(), bytes);
      else
        std::memcpy(span->data(), host, bytes);
      (void)pinned;
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

CUresult createStream(char const* function, CUstream* stream) {
  return perform(function, Needs::kContext, [&](Call const& call) {
    *stream = Driver::get().streams.add(Stream::start(call.context()));
    ++call.context()->children;
    addLive("streams", 1);
    return CUDA_SUCCESS;
  });
}

CUresult allocateHost(char const* function, void** pointer, size_t bytes) {
  return perform(function, Needs::kContext, [&](Call const& call) {
    if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    *pointer = reinterpret_cast<void*>(Memory::get().allocatePinned(call.context(), bytes)->address);
    return CUDA_SUCCESS;
  });
}

const struct {
  CUresult code;
  char const* name;
  char const* text;
} kErrors[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CUDA_ERROR_NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CUDA_ERROR_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {CUDA_ERROR_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {CUDA_ERROR_CONTEXT_IS_DESTROYED, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
    {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
     "operation not permitted when stream is capturing"},
    {CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "operation failed due to a previous error during capture"},
    {CUDA_ERROR_NOT_PERMITTED, "CUDA_ERROR_NOT_PERMITTED", "operation not permitted"},
    {CUDA_ERROR_UNKNOWN, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

void computeCapability(int* major, int* minor) {
  *major = 8;
  *minor = 9;
  std::sscanf(setting("TRT_DOUBLE_COMPUTE_CAPABILITY", "8.9").c_str(), "%d.%d", major, minor);
}

size_t totalMemory() {
  return static_cast<size_t>(settingNumber("TRT_DOUBLE_MEMORY", 8L << 30));
}

}  // namespace

// ---- the driver and its devices

API cuInit(unsigned flags) {
  return perform("cuInit", Needs::kNothing, [&](Call const&) {
    return flags == 0 ? Driver::get().initialise() : CUDA_ERROR_INVALID_VALUE;
  });
}

API cuDriverGetVersion(int* version) {
  return perform("cuDriverGetVersion", Needs::kNothing, [&](Call const&) {
    *version = 13000;
    return CUDA_SUCCESS;
  });
}

API cuDeviceGetCount(int* count) {
  return perform("cuDeviceGetCount", Needs::kInit, [&](Call const&) {
    *count = Driver::get().deviceCount();
    return CUDA_SUCCESS;
  });
}

API cuDeviceGet(CUdevice* device, int ordinal) {
  return perform("cuDeviceGet", Needs::kInit, [&](Call const&) {
    if (ordinal < 0 || ordinal >= Driver::get().deviceCount()) return CUDA_ERROR_INVALID_DEVICE;
    *device = ordinal;
    return CUDA_SUCCESS;
  });
}

API cuDeviceGetName(char* name, int length, CUdevice device) {
  return perform("cuDeviceGetName", Needs::kInit, [&](Call const&) {
    if (device < 0 || device >= Driver::get().deviceCount()) return CUDA_ERROR_INVALID_DEVICE;
    std::snprintf(name, static_cast<size_t>(length), "Stand-in GPU %d (test double)", device);
    return CUDA_SUCCESS;
  });
}

API cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  return perform("cuDeviceTotalMem_v2", Needs::kInit, [&](Call const&) {
    if (device < 0 || device >= Driver::get().deviceCount()) return CUDA_ERROR_INVALID_DEVICE;
    *bytes = totalMemory();
    return CUDA_SUCCESS;
  });
}

API cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
  return perform("cuDeviceGetAttribute", Needs::kInit, [&](Call const&) {
    if (device < 0 || device >= Driver::get().deviceCount()) return CUDA_ERROR_INVALID_DEVICE;
    int major, minor;
    computeCapability(&major, &minor);
    switch (attribute) {
      case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        *value = 1024;
        break;
      case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
        *value = 32;
        break;
      case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
        *value = 16;
        break;
      case CU_DEVICE_ATTRIBUTE_INTEGRATED:
        *value = 0;
        break;
      case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
        *value = 1;
        break;
      case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
        *value = major;
        break;
      case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
        *value = minor;
        break;
      default:
        misuse("cuDeviceGetAttribute: the double does not know attribute " + std::to_string(attribute));
        return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
  });
}

API cuGetErrorName(CUresult code, char const** name) {
  for (auto const& error : kErrors) {
    if (error.code == code) {
      *name = error.name;
      return CUDA_SUCCESS;
    }
  }
  *name = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}

API cuGetErrorString(CUresult code, char const** text) {
  for (auto const& error : kErrors) {
    if (error.code == code) {
      *text = error.text;
      return CUDA_SUCCESS;
    }
  }
  *text = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}

// ---- contexts

API cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return perform("cuDevicePrimaryCtxRetain", Needs::kInit,
                 [&](Call const&) { return Driver::get().retain(device, context); });
}

API cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return perform("cuDevicePrimaryCtxRelease_v2", Needs::kInit,
                 [&](Call const&) { return Driver::get().release(device); });
}

API cuCtxSetCurrent(CUcontext context) {
  return perform("cuCtxSetCurrent", Needs::kInit, [&](Call const& call) {
    if (context && !Driver::get().contexts.find(context)) {
      misuse(std::string(call.function()) + ": not a live context");
      return CUDA_ERROR_INVALID_CONTEXT;
    }
    auto& stack = contextStack();
    if (stack.empty())
      stack.push_back(context);
    else
      stack.back() = context;
    return CUDA_SUCCESS;
  });
}

API cuCtxGetCurrent(CUcontext* context) {
  return perform("cuCtxGetCurrent", Needs::kInit, [&](Call const&) {
    *context = contextStack().empty() ? nullptr : contextStack().back();
    return CUDA_SUCCESS;
  });
}

API cuCtxPushCurrent_v2(CUcontext context) {
  if (idle) {
    contextStack().push_back(context);
    return CUDA_SUCCESS;
  }
  return perform("cuCtxPushCurrent_v2", Needs::kInit, [&](Call const&) {
    if (!Driver::get().contexts.find(context)) return CUDA_ERROR_INVALID_CONTEXT;
    contextStack().push_back(context);
    return CUDA_SUCCESS;
  });
}

API cuCtxPopCurrent_v2(CUcontext* context) {
  if (idle) {
    contextStack().pop_back();
    return CUDA_SUCCESS;
  }
  return perform("cuCtxPopCurrent_v2", Needs::kInit, [&](Call const&) {
    if (contextStack().empty()) return CUDA_ERROR_INVALID_CONTEXT;
    if (context) *context = contextStack().back();
    contextStack().pop_back();
    return CUDA_SUCCESS;
  });
}

// ---- memory

API cuMemGetInfo_v2(size_t* free, size_t* total) {
  return perform("cuMemGetInfo_v2", Needs::kContext, [&](Call const& call) {
    *total = totalMemory();
    *free = *total - Memory::get().usedBytes(call.context()->device);
    return CUDA_SUCCESS;
  });
}

API cuMemAlloc_v2(CUdeviceptr* pointer, size_t bytes) {
  return perform("cuMemAlloc_v2", Needs::kContext, [&](Call const& call) {
    if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    auto block = Memory::get().allocateDevice(call.context(), bytes);
    if (!block) return CUDA_ERROR_OUT_OF_MEMORY;
    *pointer = block->address;
    return CUDA_SUCCESS;
  });
}

API cuMemFree_v2(CUdeviceptr pointer) {
  return perform("cuMemFree_v2", Needs::kContextAnyhow, [&](Call const& call) {
    return Memory::get().free(Block::Kind::kDevice, pointer, *call.context(), call.function());
  });
}

API cuMemAllocHost_v2(void** pointer, size_t bytes) {
  return allocateHost("cuMemAllocHost_v2", pointer, bytes);
}

API cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  return allocateHost("cuMemHostAlloc", pointer, bytes);
}

API cuMemFreeHost(void* pointer) {
  return perform("cuMemFreeHost", Needs::kContextAnyhow, [&](Call const& call) {
    return Memory::get().free(Block::Kind::kPinned, reinterpret_cast<uint64_t>(pointer), *call.context(),
                              call.function());
  });
}

API cuMemcpyHtoDAsync_v2(CUdeviceptr to, void const* from, size_t bytes, CUstream stream) {
  if (idle) return CUDA_SUCCESS;
  return copyAsync("cuMemcpyHtoDAsync_v2", const_cast<void*>(from), to, bytes, stream, false);
}

API cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  if (idle) return CUDA_SUCCESS;
  return copyAsync("cuMemcpyDtoHAsync_v2", to, from, bytes, stream, true);
}

API cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream handle) {
  return perform("cuMemcpyDtoDAsync_v2", Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    if (bytes == 0) return CUDA_SUCCESS;
    auto source = std::make_shared<Span>(Memory::get().deviceSpan(from, bytes, call.function()));
    auto target = std::make_shared<Span>(Memory::get().deviceSpan(to, bytes, call.function()));
    if (!*source || !*target) return CUDA_ERROR_INVALID_VALUE;
    stream->submit([=] {
      std::memmove(target->data(), source->data(), bytes);
      return asyncFailure("cuMemcpyDtoDAsync_v2");
    });
    return CUDA_SUCCESS;
  });
}

API cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream handle) {
  return perform("cuMemsetD8Async", Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    if (bytes == 0) return CUDA_SUCCESS;
    auto target = std::make_shared<Span>(Memory::get().deviceSpan(to, bytes, call.function()));
    if (!*target) return CUDA_ERROR_INVALID_VALUE;
    stream->submit([=] {
      std::memset(target->data(), value, bytes);
      return asyncFailure("cuMemsetD8Async");
    });
    return CUDA_SUCCESS;
  });
}

// ---- streams

API cuStreamCreate(CUstream* stream, unsigned) {
  return createStream("cuStreamCreate", stream);
}

API cuStreamCreateWithPriority(CUstream* stream, unsigned, int) {
  return createStream("cuStreamCreateWithPriority", stream);
}

API cuStreamDestroy_v2(CUstream handle) {
  return perform("cuStreamDestroy_v2", Needs::kContextAnyhow, [&](Call const& call) {
    auto stream = call.stream(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    Driver::get().streams.remove(handle);
    stream->finish();
    --stream->context()->children;
    addLive("streams", -1);
    return CUDA_SUCCESS;
  });
}

API cuStreamSynchronize(CUstream handle) {
  if (idle) return CUDA_SUCCESS;
  return perform("cuStreamSynchronize", Needs::kContextAnyhow, [&](Call const& call) {
    auto stream = call.stream(handle);
    return stream ? stream->synchronize() : CUDA_ERROR_INVALID_HANDLE;
  });
}

API cuStreamQuery(CUstream handle) {
  return perform("cuStreamQuery", Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    return stream->idle() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
  });
}

API cuStreamWaitEvent(CUstream handle, CUevent eventHandle, unsigned) {
  return perform("cuStreamWaitEvent", Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    auto event = call.event(eventHandle);
    if (!stream || !event) return CUDA_ERROR_INVALID_HANDLE;
    auto mark = event->last();
    if (!mark) return CUDA_SUCCESS;  // documented: nothing to wait for before the first record
    stream->submit([=] {
      mark->wait();
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

API cuLaunchHostFunc(CUstream handle, CUhostFn function, void* argument) {
  return perform("cuLaunchHostFunc", Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    stream->submit([=] {
      function(argument);
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

// ---- events

API cuEventCreate(CUevent* event, unsigned flags) {
  return perform("cuEventCreate", Needs::kContext, [&](Call const& call) {
    *event = Driver::get().events.add(std::make_shared<Event>(call.context(), flags));
    ++call.context()->children;
    addLive("events", 1);
    return CUDA_SUCCESS;
  });
}

API cuEventDestroy_v2(CUevent handle) {
  return perform("cuEventDestroy_v2", Needs::kContextAnyhow, [&](Call const& call) {
    auto event = call.event(handle);
    if (!event) return CUDA_ERROR_INVALID_HANDLE;
    Driver::get().events.remove(handle);
    --event->context->children;
    addLive("events", -1);
    return CUDA_SUCCESS;
  });
}

API cuEventRecord(CUevent eventHandle, CUstream handle) {
  if (idle) return CUDA_SUCCESS;
  return perform("cuEventRecord", Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    auto event = call.event(eventHandle);
    if (!stream || !event) return CUDA_ERROR_INVALID_HANDLE;
    auto mark = event->renew();
    stream->submitAlways([=] {
      mark->reach();
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

API cuEventSynchronize(CUevent handle) {
  return perform("cuEventSynchronize", Needs::kContextAnyhow, [&](Call const& call) {
    auto event = call.event(handle);
    if (!event) return CUDA_ERROR_INVALID_HANDLE;
    if (auto mark = event->last()) mark->wait();
    return CUDA_SUCCESS;
  });
}

API cuEventQuery(CUevent handle) {
  return perform("cuEventQuery", Needs::kContext, [&](Call const& call) {
    auto event = call.event(handle);
    if (!event) return CUDA_ERROR_INVALID_HANDLE;
    auto mark = event->last();
    return !mark || mark->isReached() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
  });
}

API cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  if (idle) {
    *milliseconds = 0;
    return CUDA_SUCCESS;
  }
  return perform("cuEventElapsedTime", Needs::kContext, [&](Call const& call) {
    auto first = call.event(start);
    auto second = call.event(end);
    if (!first || !second) return CUDA_ERROR_INVALID_HANDLE;
    if ((first->flags | second->flags) & CU_EVENT_DISABLE_TIMING) return CUDA_ERROR_INVALID_HANDLE;
    auto from = first->last();
    auto to = second->last();
    if (!from || !to) return CUDA_ERROR_INVALID_HANDLE;
    if (!from->isReached() || !to->isReached()) return CUDA_ERROR_NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
    return CUDA_SUCCESS;
  });
}

// ---- hooks of the libnvinfer double

extern "C" TRT_DOUBLE_EXPORT CUresult trtDoubleEnqueue(char const* what, CUstream handle,
                                                       TrtDoubleRange const* ranges, size_t rangeCount,
                                                       TrtDoubleWork work, void* argument,
                                                       void (*release)(void*)) {
  std::shared_ptr<void> const owned(argument, release);
  return perform(what, Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    auto spans = std::make_shared<std::vector<Span>>();
    for (size_t i = 0; i < rangeCount; ++i) {
      spans->push_back(Memory::get().deviceSpan(ranges[i].address, ranges[i].bytes, what));
      if (!spans->back()) return CUDA_ERROR_INVALID_VALUE;
    }
    std::string const name = what;
    stream->submit([=] {
      CUresult const failure = asyncFailure(name.c_str());
      if (failure != CUDA_SUCCESS) return failure;
      std::vector<unsigned char*> hosts;
      for (Span const& span : *spans) hosts.push_back(span.data());
      return static_cast<CUresult>(work(owned.get(), hosts.data()));
    });
    return CUDA_SUCCESS;
  });
}

extern "C" TRT_DOUBLE_EXPORT bool trtDoubleCapturing(CUstream handle) {
  auto const stream = Driver::get().streams.find(handle);
  return stream && stream->capturing();
}

extern "C" TRT_DOUBLE_EXPORT bool trtDoubleRequireContext(char const* what) {
  if (!Driver::get().initialised()) return false;
  auto const& stack = contextStack();
  bool const current = !stack.empty() && Driver::get().contexts.find(stack.back()) != nullptr;
  if (!current) misuse(std::string(what) + ": no context is current on the calling thread");
  return current;
}

extern "C" TRT_DOUBLE_EXPORT CUdeviceptr trtDoubleAllocate(char const* what, size_t bytes) {
  Call const call(what, Needs::kContext);
  if (call.result() != CUDA_SUCCESS) return 0;
  auto block = Memory::get().allocateDevice(call.context(), bytes);
  return block ? block->address : 0;
}

extern "C" TRT_DOUBLE_EXPORT void trtDoubleRelease(char const* what, CUdeviceptr address) {
  Call const call(what, Needs::kContextAnyhow);
  if (call.context()) Memory::get().free(Block::Kind::kDevice, address, *call.context(), what);
}

extern "C" TRT_DOUBLE_EXPORT CUresult trtDoubleSynchronize(char const* what, CUstream handle) {
  return perform(what, Needs::kContextAnyhow, [&](Call const& call) {
    auto stream = call.stream(handle);
    return stream ? stream->synchronize() : CUDA_ERROR_INVALID_HANDLE;
  });
}
