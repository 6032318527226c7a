#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cuda/device_buffer.h"
#include "cuda/stage_timer.h"
#include "cuda/stream.h"
#include "engine/bound_context.h"
#include "engine/call.h"
#include "engine/graph_lanes.h"
#include "engine/runner_memory.h"
#include "engine/runtime.h"

namespace trtnode {

// Execution contexts of which one runs at a time, with their stream and their memory: the one way through of
// every inference. There is one context, and with CUDA graphs one more for each graph (see graph_lanes.h).
//
// It is used by one thread at a time, on which the engine's primary context is current; so one run is in
// flight at a time.
//
// Memory is taken when it is made, as much as the largest shapes of any profile need, and grows later only
// for an output whose size no profile tells. Inputs and outputs keep their place in device memory whoever
// brings them, so a run with the shapes of the one before tells TensorRT nothing: it copies, enqueues, copies
// and waits.
//
// A graph holds what the engine does, and not the copies, as trtexec's does: their addresses on the host are
// the caller's, another one with each binding.
class ContextRunner {
 public:
  // Throws Error OUT_OF_MEMORY or LOAD_FAILED.
  explicit ContextRunner(std::shared_ptr<LoadedEngine> loaded);

  LoadedEngine& engine() noexcept { return *loaded_; }

  // Pinned memory of its own, for calls that bring none.
  HostTensors& host() noexcept { return host_; }

  // Runs `call`, whose inputs lie in call.host or on the device, and puts the wanted outputs there. Throws
  // Error INVALID_INPUT, UNSUPPORTED, INFERENCE_FAILED, OUT_OF_MEMORY or GPU_LOST; after all but the last the
  // runner stays usable.
  void run(Call& call);

  // Tells the shapes of the outputs that a run of `call` would give, -1 where they depend on the data. Throws
  // as run() does.
  void shapeOutputs(Call& call);

 private:
  std::unique_ptr<BoundContext> makeContext();
  void reserveForProfiles();
  // Why no run of this engine can be a graph; empty: it can.
  std::string obstacleToGraphs() const;
  GraphLanes::Lane* laneOf(Call const& call);
  void runIn(BoundContext& bound, GraphLanes::Lane* lane, Call& call);
  void requireDeviceTensors(Call const& call) const;
  void prepare(BoundContext& bound, Call const& call);
  void makeRoom(BoundContext const& bound, Call const& call);
  void copyIn(BoundContext const& bound, Call const& call);
  void compute(BoundContext& bound, GraphLanes::Lane* lane);
  void capture(GraphLanes::Lane& lane);
  void copyOut(BoundContext const& bound, Call& call);
  nvinfer1::Dims const& shapeByData(OutputMemory const& output) const;
  size_t bytesByData(OutputMemory const& output) const;
  void copyOut(size_t index, size_t bytes, Call& call);
  [[noreturn]] void fail(std::string const& what) const { loaded_->fail(what, stream_); }

  std::shared_ptr<LoadedEngine> loaded_;
  CudaDriver const& cuda_;
  Stream stream_;
  StageTimer timer_;
  HostTensors host_;
  RunnerMemory memory_;
  uint64_t refits_ = 0;      // of the engine, when this ran last
  DeviceBuffer activation_;  // of all contexts; empty where the only one has its own
  // The last members, so that they are destroyed before the stream and the memory that they may still know.
  std::unique_ptr<BoundContext> context_;
  std::optional<GraphLanes> lanes_;
};

}  // namespace trtnode
