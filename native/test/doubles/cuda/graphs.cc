// libcuda.so.1, continued: graphs. What a stream is given while it captures is kept, and done at each launch.
#include "driver.h"

using namespace trt_double;
using Needs = Call::Needs;

API cuStreamBeginCapture_v2(CUstream handle, int) {
  return perform("cuStreamBeginCapture_v2", Needs::kContext, [&](Call const& call) {
    auto stream = call.stream(handle);
    if (!stream) return CUDA_ERROR_INVALID_HANDLE;
    return stream->beginCapture() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

API cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  *graph = nullptr;
  // Ends the capture whatever comes of it, as documented.
  auto const stream = Driver::get().streams.find(handle);
  auto const captured = stream ? stream->endCapture() : nullptr;
  return perform("cuStreamEndCapture", Needs::kContext, [&](Call const& call) {
    if (!call.stream(handle)) return CUDA_ERROR_INVALID_HANDLE;
    if (!captured) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    *graph = Driver::get().graphs.add(captured);
    addLive("graphs", 1);
    return CUDA_SUCCESS;
  });
}

API cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph handle, unsigned long long) {
  return perform("cuGraphInstantiateWithFlags", Needs::kContext, [&](Call const& call) {
    auto const graph = Driver::get().graphs.find(handle);
    if (!graph) {
      misuse(std::string(call.function()) + ": not a live graph");
      return CUDA_ERROR_INVALID_HANDLE;
    }
    *executable = Driver::get().graphExecs.add(graph);
    addLive("graphExecs", 1);
    return CUDA_SUCCESS;
  });
}

API cuGraphLaunch(CUgraphExec executable, CUstream handle) {
  return perform("cuGraphLaunch", Needs::kContext, [&](Call const& call) {
    auto const stream = call.stream(handle);
    auto const graph = Driver::get().graphExecs.find(executable);
    if (!stream || !graph) {
      misuse(std::string(call.function()) + ": not a live graph or stream");
      return CUDA_ERROR_INVALID_HANDLE;
    }
    for (Stream::Work const& work : graph->works) stream->submit(work);
    return CUDA_SUCCESS;
  });
}

API cuGraphExecDestroy(CUgraphExec executable) {
  return perform("cuGraphExecDestroy", Needs::kContextAnyhow, [&](Call const& call) {
    if (!Driver::get().graphExecs.find(executable)) {
      misuse(std::string(call.function()) + ": not a live graph");
      return CUDA_ERROR_INVALID_HANDLE;
    }
    Driver::get().graphExecs.remove(executable);
    addLive("graphExecs", -1);
    return CUDA_SUCCESS;
  });
}

API cuGraphDestroy(CUgraph graph) {
  return perform("cuGraphDestroy", Needs::kContextAnyhow, [&](Call const& call) {
    if (!Driver::get().graphs.find(graph)) {
      misuse(std::string(call.function()) + ": not a live graph");
      return CUDA_ERROR_INVALID_HANDLE;
    }
    Driver::get().graphs.remove(graph);
    addLive("graphs", -1);
    return CUDA_SUCCESS;
  });
}
