// Stand-in for tests: devices and contexts of the libcuda double.
#include "driver.h"

#include "../common/ledger.h"
#include "memory.h"

namespace trt_double {

Driver& Driver::get() {
  static Driver* const driver = new Driver();
  return *driver;
}

Driver::Driver() : devices_(static_cast<size_t>(settingNumber("TRT_DOUBLE_DEVICES", 1))) {}

CUresult Driver::initialise() {
  if (devices_.empty()) return CUDA_ERROR_NO_DEVICE;
  initialised_ = true;
  return CUDA_SUCCESS;
}

CUresult Driver::retain(CUdevice ordinal, CUcontext* context) {
  if (ordinal < 0 || ordinal >= deviceCount()) return CUDA_ERROR_INVALID_DEVICE;
  std::lock_guard lock(mutex_);
  Device& device = devices_[static_cast<size_t>(ordinal)];
  if (device.retained++ == 0) {
    device.context = std::make_shared<Context>(ordinal);
    device.handle = contexts.add(device.context);
    addLive("contexts", 1);
  }
  *context = device.handle;
  return CUDA_SUCCESS;
}

CUresult Driver::release(CUdevice ordinal) {
  if (ordinal < 0 || ordinal >= deviceCount()) return CUDA_ERROR_INVALID_DEVICE;
  std::lock_guard lock(mutex_);
  Device& device = devices_[static_cast<size_t>(ordinal)];
  if (device.retained == 0) {
    misuse("cuDevicePrimaryCtxRelease: released more often than retained");
    return CUDA_ERROR_INVALID_CONTEXT;
  }
  if (--device.retained > 0) return CUDA_SUCCESS;
  Memory::get().dropContext(*device.context);
  if (device.context->children > 0) misuse("cuDevicePrimaryCtxRelease: streams or events were not destroyed");
  device.context->destroyed = true;
  contexts.remove(device.handle);
  addLive("contexts", -1);
  device.handle = nullptr;
  device.context = nullptr;
  return CUDA_SUCCESS;
}

std::vector<CUcontext>& contextStack() {
  thread_local std::vector<CUcontext> stack;
  return stack;
}

Call::Call(char const* function, Needs needs) : function_(function) {
  Injection const injection = enter(function);
  if (inStreamWork()) {
    misuse(std::string(function) + ": called from a host function of a stream");
    result_ = CUDA_ERROR_NOT_PERMITTED;
  } else if (injection.fails) {
    result_ = static_cast<CUresult>(injection.code);
  } else if (needs != Needs::kNothing && !Driver::get().initialised()) {
    misuse(std::string(function) + ": before cuInit");
    result_ = CUDA_ERROR_NOT_INITIALIZED;
  } else if (needs == Needs::kContext || needs == Needs::kContextAnyhow) {
    auto const& stack = contextStack();
    if (stack.empty() || stack.back() == nullptr) {
      misuse(std::string(function) + ": no context is current on the calling thread");
      result_ = CUDA_ERROR_INVALID_CONTEXT;
      return;
    }
    context_ = Driver::get().contexts.find(stack.back());
    if (!context_) {
      misuse(std::string(function) + ": the current context was destroyed");
      result_ = CUDA_ERROR_CONTEXT_IS_DESTROYED;
    } else if (needs == Needs::kContext) {
      result_ = context_->sticky;
    }
  }
}

std::shared_ptr<Stream> Call::stream(CUstream handle) const {
  // 0, 1 and 2 are the default streams, which wait for each other: nothing that is to run beside other work
  // uses them.
  auto stream = Driver::get().streams.find(handle);
  if (!stream) {
    misuse(std::string(function_) +
           (reinterpret_cast<uintptr_t>(handle) <= 2 ? ": a default stream" : ": not a live stream"));
  } else if (stream->context() != context_) {
    misuse(std::string(function_) + ": a stream of another context than the current one");
    return nullptr;
  }
  return stream;
}

std::shared_ptr<Event> Call::event(CUevent handle) const {
  auto event = Driver::get().events.find(handle);
  if (!event) misuse(std::string(function_) + ": not a live event");
  return event;
}

}  // namespace trt_double
