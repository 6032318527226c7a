// What of the libcuda double the addon does not use (yet), and what it must object to. One case a process, as
// a misuse ends it with exit code 97: `self_test LIBCUDA CASE`. Run by test/native/doubles.test.ts.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "../doubles/cuda/driver_types.h"

namespace {

void* library = nullptr;

/** Calls a function of the double by its name. */
template <typename... Arguments>
CUresult call(char const* name, Arguments... arguments) {
  auto* function = reinterpret_cast<CUresult (*)(Arguments...)>(dlsym(library, name));
  if (function == nullptr) {
    std::fprintf(stderr, "no %s\n", name);
    std::exit(1);
  }
  return function(arguments...);
}

void expect(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

void ok(CUresult result) {
  expect(result == CUDA_SUCCESS, "CUDA_SUCCESS");
}

/** A context that is current, and a stream in it. */
struct Session {
  CUcontext context = nullptr;
  CUstream stream = nullptr;

  Session() {
    ok(call("cuInit", 0U));
    ok(call("cuDevicePrimaryCtxRetain", &context, 0));
    ok(call("cuCtxSetCurrent", context));
    ok(call("cuStreamCreate", &stream, 0U));
  }
  void end() const {
    ok(call("cuStreamDestroy_v2", stream));
    ok(call("cuDevicePrimaryCtxRelease_v2", 0));
  }
};

CUdeviceptr allocate(size_t bytes) {
  CUdeviceptr pointer = 0;
  ok(call("cuMemAlloc_v2", &pointer, bytes));
  return pointer;
}

void roundTrip() {
  Session const session;
  std::vector<int> const in{1, 2, 3, 4};
  size_t const bytes = in.size() * sizeof(int);
  void* out = nullptr;
  ok(call("cuMemAllocHost_v2", &out, bytes));
  CUdeviceptr const a = allocate(bytes);
  CUdeviceptr const b = allocate(bytes);
  void const* from = in.data();
  ok(call("cuMemcpyHtoDAsync_v2", a, from, bytes, session.stream));
  ok(call("cuMemsetD8Async", b, static_cast<unsigned char>(0xFF), bytes, session.stream));
  ok(call("cuMemcpyDtoDAsync_v2", b, a, bytes - sizeof(int), session.stream));
  ok(call("cuMemcpyDtoHAsync_v2", out, b, bytes, session.stream));
  ok(call("cuStreamSynchronize", session.stream));
  int const expected[] = {1, 2, 3, -1};
  expect(std::memcmp(out, expected, bytes) == 0, "the bytes went round");
  ok(call("cuMemFreeHost", out));
  ok(call("cuMemFree_v2", a));
  ok(call("cuMemFree_v2", b));
  session.end();
}

void eventsOrderStreams() {
  Session const session;
  CUstream second = nullptr;
  CUevent event = nullptr;
  ok(call("cuStreamCreate", &second, 0U));
  ok(call("cuEventCreate", &event, 0U));
  // The second stream waits for an event of the first, which comes after slow work: without the wait it would
  // be first.
  std::atomic<int> step{0};
  struct Note {
    std::atomic<int>* step;
    int seen;
  } first{&step, -1}, last{&step, -1};
  CUhostFn const note = [](void* argument) {
    auto& taken = *static_cast<Note*>(argument);
    taken.seen = taken.step->fetch_add(1);
  };
  void* const firstArgument = &first;
  void* const lastArgument = &last;
  for (int i = 0; i < 20; ++i) {
    ok(call("cuLaunchHostFunc", session.stream, static_cast<CUhostFn>([](void*) {}),
            static_cast<void*>(nullptr)));
  }
  ok(call("cuLaunchHostFunc", session.stream, note, firstArgument));
  ok(call("cuEventRecord", event, session.stream));
  ok(call("cuStreamWaitEvent", second, event, 0U));
  ok(call("cuLaunchHostFunc", second, note, lastArgument));
  expect(call("cuEventQuery", event) == CUDA_ERROR_NOT_READY, "work is late");
  ok(call("cuStreamSynchronize", second));
  ok(call("cuEventQuery", event));
  ok(call("cuEventSynchronize", event));
  expect(first.seen == 0 && last.seen == 1, "the second stream waited for the event");
  ok(call("cuEventDestroy_v2", event));
  ok(call("cuStreamDestroy_v2", second));
  session.end();
}

void copyIsLate() {
  Session const session;
  CUdeviceptr const a = allocate(4);
  int value = 1;
  int out = 0;
  void const* from = &value;
  void* to = &out;
  for (int i = 0; i < 20; ++i) {
    ok(call("cuLaunchHostFunc", session.stream, static_cast<CUhostFn>([](void*) {}),
            static_cast<void*>(nullptr)));
  }
  ok(call("cuMemcpyHtoDAsync_v2", a, from, size_t{4}, session.stream));
  value = 2;
  ok(call("cuMemcpyDtoHAsync_v2", to, a, size_t{4}, session.stream));
  expect(out == 0, "nothing was copied yet");
  ok(call("cuStreamSynchronize", session.stream));
  expect(out == 2, "the copy read its memory when it ran, and not when it was queued");
  ok(call("cuMemFree_v2", a));
  session.end();
}

void graphReplays() {
  Session const session;
  CUdeviceptr const a = allocate(4);
  int value = 1;
  int out = 0;
  void const* from = &value;
  void* to = &out;
  CUgraph graph = nullptr;
  CUgraphExec executable = nullptr;
  ok(call("cuStreamBeginCapture_v2", session.stream, 1));
  ok(call("cuMemcpyHtoDAsync_v2", a, from, size_t{4}, session.stream));
  ok(call("cuMemcpyDtoHAsync_v2", to, a, size_t{4}, session.stream));
  ok(call("cuStreamEndCapture", session.stream, &graph));
  ok(call("cuGraphInstantiateWithFlags", &executable, graph, 0ULL));
  ok(call("cuStreamSynchronize", session.stream));
  expect(out == 0, "what is captured is not done");
  for (value = 2; value < 4; ++value) {
    ok(call("cuGraphLaunch", executable, session.stream));
    ok(call("cuStreamSynchronize", session.stream));
    expect(out == value, "each launch does it anew");
  }
  ok(call("cuGraphExecDestroy", executable));
  ok(call("cuGraphDestroy", graph));
  ok(call("cuStreamBeginCapture_v2", session.stream, 1));
  expect(call("cuStreamSynchronize", session.stream) == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "refused");
  expect(call("cuStreamEndCapture", session.stream, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
         "to wait breaks a capture");
  ok(call("cuMemFree_v2", a));
  session.end();
}

void memoryRunsOut() {
  Session const session;
  size_t free = 0;
  size_t total = 0;
  ok(call("cuMemGetInfo_v2", &free, &total));
  expect(free == 1000 && total == 1000, "TRT_DOUBLE_MEMORY");
  CUdeviceptr const a = allocate(600);
  CUdeviceptr b = 0;
  expect(call("cuMemAlloc_v2", &b, size_t{600}) == CUDA_ERROR_OUT_OF_MEMORY, "out of memory");
  ok(call("cuMemFree_v2", a));
  session.end();
}

// ---- misuses

void pastTheEnd() {
  Session const session;
  char out[16];
  void* to = out;
  CUdeviceptr const a = allocate(8);
  expect(call("cuMemcpyDtoHAsync_v2", to, a + 4, size_t{8}, session.stream) == CUDA_ERROR_INVALID_VALUE,
         "refused");
}

void useAfterFree() {
  Session const session;
  char out[8];
  void* to = out;
  CUdeviceptr const a = allocate(8);
  ok(call("cuMemFree_v2", a));
  expect(call("cuMemcpyDtoHAsync_v2", to, a, size_t{8}, session.stream) == CUDA_ERROR_INVALID_VALUE,
         "refused");
}

void freedTwice() {
  Session const session;
  CUdeviceptr const a = allocate(8);
  ok(call("cuMemFree_v2", a));
  expect(call("cuMemFree_v2", a) == CUDA_ERROR_INVALID_VALUE, "refused");
}

void freedWhileUsed() {
  Session const session;
  CUdeviceptr const a = allocate(8);
  ok(call("cuMemsetD8Async", a, static_cast<unsigned char>(0), size_t{8}, session.stream));
  ok(call("cuMemFree_v2", a));
}

void noContext() {
  Session const session;
  CUcontext const none = nullptr;
  ok(call("cuCtxSetCurrent", none));
  CUdeviceptr a = 0;
  expect(call("cuMemAlloc_v2", &a, size_t{8}) == CUDA_ERROR_INVALID_CONTEXT, "refused");
}

void defaultStream() {
  Session const session;
  CUstream const none = nullptr;
  expect(call("cuStreamSynchronize", none) == CUDA_ERROR_INVALID_HANDLE, "refused");
}

void staleStream() {
  Session const session;
  ok(call("cuStreamDestroy_v2", session.stream));
  expect(call("cuStreamSynchronize", session.stream) == CUDA_ERROR_INVALID_HANDLE, "refused");
}

void leak() {
  Session const session;
  allocate(8);
  session.end();
}

void callFromStream() {
  Session const session;
  CUhostFn const work = [](void*) {
    int count = 0;
    call("cuDeviceGetCount", &count);
  };
  ok(call("cuLaunchHostFunc", session.stream, work, static_cast<void*>(nullptr)));
  ok(call("cuStreamSynchronize", session.stream));
  session.end();
}

std::map<std::string, std::function<void()>> const kCases{{"roundTrip", roundTrip},
                                                          {"eventsOrderStreams", eventsOrderStreams},
                                                          {"graphReplays", graphReplays},
                                                          {"copyIsLate", copyIsLate},
                                                          {"memoryRunsOut", memoryRunsOut},
                                                          {"pastTheEnd", pastTheEnd},
                                                          {"useAfterFree", useAfterFree},
                                                          {"freedTwice", freedTwice},
                                                          {"freedWhileUsed", freedWhileUsed},
                                                          {"noContext", noContext},
                                                          {"defaultStream", defaultStream},
                                                          {"staleStream", staleStream},
                                                          {"leak", leak},
                                                          {"callFromStream", callFromStream}};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3 || kCases.count(arguments[2]) == 0) return 2;
  library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  kCases.at(arguments[2])();
  return 0;
}
