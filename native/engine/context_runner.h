#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda/device_buffer.h"
#include "cuda/stage_timer.h"
#include "cuda/stream.h"
#include "engine/call.h"
#include "engine/dims.h"
#include "engine/output_allocator.h"
#include "engine/runtime.h"

namespace trtnode {

// One execution context with its stream and its memory: the one way through of every inference.
//
// It is used by one thread at a time, on which the engine's primary context is current; so one run is in
// flight at a time.
//
// Memory is taken when it is made, as much as the largest shapes of any profile need, and grows later only
// for an output whose size no profile tells. Inputs and outputs keep their place in device memory whoever
// brings them, so a run with the shapes of the one before tells TensorRT nothing: it copies, enqueues, copies
// and waits.
class ContextRunner {
 public:
  // Throws Error OUT_OF_MEMORY or LOAD_FAILED.
  explicit ContextRunner(std::shared_ptr<LoadedEngine> loaded);

  // Pinned memory of its own, for calls that bring none.
  HostTensors& host() noexcept { return host_; }

  // Runs `call`, whose inputs lie in call.host, and puts the wanted outputs there. Throws Error
  // INVALID_INPUT, UNSUPPORTED, INFERENCE_FAILED, OUT_OF_MEMORY or GPU_LOST; after all but the last the
  // runner stays usable.
  void run(Call& call);

  // Tells the shapes of the outputs that a run of `call` would give, -1 where they depend on the data. Throws
  // as run() does.
  void shapeOutputs(Call& call);

 private:
  struct Input {
    Input(TensorFacts const& tensor, GpuMemory& gpu) : facts(&tensor), buffer(gpu) {}

    TensorFacts const* facts;
    DeviceBuffer buffer;
    nvinfer1::Dims shape = unknownDims();  // what TensorRT was told
    void const* address = nullptr;         // likewise
  };
  struct Output {
    Output(TensorFacts const& tensor, GpuMemory& gpu) : facts(&tensor), buffer(gpu) {}

    TensorFacts const* facts;
    DeviceBuffer buffer;
    OutputAllocator allocator{buffer};
    nvinfer1::Dims shape = unknownDims();  // what TensorRT said
    void* address = nullptr;               // what TensorRT was told
    bool dataDependent = false;
  };

  void reserveForProfiles();
  void prepare(Call const& call);
  void useProfile(int32_t profile);
  bool setShapes(Call const& call);
  void shapeOutput(Output& output);
  void placeOutput(Output& output, PinnedBuffer& host);
  void copyIn(Call const& call);
  void bind(Input& input, void const* address);
  void bind(Output& output, void* address);
  void enqueue();
  void copyOut(Call& call);
  void copyOut(Output& output, nvinfer1::Dims const& shape, PinnedBuffer& to);
  void forgetWhatWasTold();
  [[noreturn]] void fail(std::string const& what) const;

  std::shared_ptr<LoadedEngine> loaded_;
  CudaDriver const& cuda_;
  Stream stream_;
  StageTimer timer_;
  HostTensors host_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<std::unique_ptr<Output>> outputs_;
  int32_t profile_ = 0;
  bool readsValues_ = false;  // of inputs in host memory, on which the outputs' shapes may depend
  bool anyOnHost_ = false;    // a tensor in host memory, whose place and values each call brings
  bool outputsStale_ = true;  // TensorRT has to be asked for the outputs' shapes
  bool anyDataDependent_ = false;
  // The last member, so that it is destroyed before the stream and the memory that it may still know.
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

}  // namespace trtnode
