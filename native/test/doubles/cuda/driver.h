// The state of the libcuda double: devices, their primary contexts, and which is current on which thread.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "../common/ledger.h"
#include "context.h"
#include "handles.h"
#include "stream.h"

namespace trt_double {

class Driver {
 public:
  static Driver& get();

  CUresult initialise();
  bool initialised() const { return initialised_; }
  int deviceCount() const { return static_cast<int>(devices_.size()); }

  CUresult retain(CUdevice device, CUcontext* context);
  CUresult release(CUdevice device);

  Handles<CUcontext, Context> contexts;
  Handles<CUstream, Stream> streams;
  Handles<CUevent, Event> events;
  Handles<CUgraph, Graph> graphs;
  Handles<CUgraphExec, Graph> graphExecs;

 private:
  Driver();

  struct Device {
    CUcontext handle = nullptr;
    std::shared_ptr<Context> context;
    int retained = 0;
  };

  std::mutex mutex_;
  std::vector<Device> devices_;
  std::atomic<bool> initialised_{false};
};

/** What cuCtxPushCurrent and its kin work on; the last one is current. */
std::vector<CUcontext>& contextStack();

/**
 * The beginning of every driver function: counts the call, answers with an injected failure, and checks what
 * the documentation asks of the calling thread.
 */
class Call {
 public:
  /** `kContextAnyhow` is for what ends or waits: it works in a poisoned context too, and then tells the
   * error. */
  enum class Needs { kNothing, kInit, kContext, kContextAnyhow };

  Call(char const* function, Needs needs);

  /** Not CUDA_SUCCESS: the function returns it at once. */
  CUresult result() const { return result_; }
  std::shared_ptr<Context> const& context() const { return context_; }
  char const* function() const { return function_; }

  /** The stream behind a handle, or null, having recorded the misuse. */
  std::shared_ptr<Stream> stream(CUstream handle) const;
  std::shared_ptr<Event> event(CUevent handle) const;

 private:
  char const* const function_;
  CUresult result_ = CUDA_SUCCESS;
  std::shared_ptr<Context> context_;
};

/**
 * Runs `body` unless the call fails before it. What ends or waits then gives a poisoned context's error
 * instead of success; anything else does not, even if the context was poisoned meanwhile: it would fail and
 * have given something all the same.
 */
template <typename Body>
CUresult perform(char const* function, Call::Needs needs, Body body) {
  Call const call(function, needs);
  if (call.result() != CUDA_SUCCESS) return call.result();
  CUresult const result = body(call);
  bool const tells = needs == Call::Needs::kContextAnyhow && call.context();
  return result == CUDA_SUCCESS && tells ? call.context()->sticky.load() : result;
}

}  // namespace trt_double

#define API extern "C" TRT_DOUBLE_EXPORT CUresult
