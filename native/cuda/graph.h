#pragma once

#include <utility>

#include "cuda/stream.h"

namespace trtnode {

// Owns work that was recorded from a stream once, to be launched as a whole again and again.
class Graph {
 public:
  // Records what `work` puts on the stream, none of which is done. Throws Error where CUDA refuses, and what
  // `work` throws; the stream records no more then either.
  //
  // Thread-local: what other threads do meanwhile, to allocate for one, is none of this recording's business.
  template <class Work>
  static Graph record(CudaDriver const& cuda, Stream const& stream, Work&& work) {
    cuda.check(cuda.streamBeginCapture(stream.get(), kCuStreamCaptureThreadLocal), "cuStreamBeginCapture");
    CuGraph graph = nullptr;
    try {
      work();
    } catch (...) {
      if (cuda.streamEndCapture(stream.get(), &graph) == kCudaSuccess) cuda.graphDestroy(graph);
      throw;
    }
    cuda.check(cuda.streamEndCapture(stream.get(), &graph), "cuStreamEndCapture");
    CuGraphExec executable = nullptr;
    CuResult const result = cuda.graphInstantiate(&executable, graph, 0);
    cuda.graphDestroy(graph);
    cuda.check(result, "cuGraphInstantiate");
    return {cuda, executable};
  }

  ~Graph() {
    if (executable_ != nullptr) cuda_.graphExecDestroy(executable_);
  }
  Graph(Graph&& other) noexcept
      : cuda_(other.cuda_), executable_(std::exchange(other.executable_, nullptr)) {}
  Graph& operator=(Graph&&) = delete;
  Graph(Graph const&) = delete;
  Graph& operator=(Graph const&) = delete;

  void launch(Stream const& stream) const {
    cuda_.check(cuda_.graphLaunch(executable_, stream.get()), "cuGraphLaunch");
  }

 private:
  Graph(CudaDriver const& cuda, CuGraphExec executable) : cuda_(cuda), executable_(executable) {}

  CudaDriver const& cuda_;
  CuGraphExec executable_;
};

}  // namespace trtnode
