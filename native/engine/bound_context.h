#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/stream.h"
#include "engine/call.h"
#include "engine/dims.h"
#include "engine/runner_memory.h"
#include "engine/runtime.h"

namespace trtnode {

// An execution context, and what it was told: what it knows already is not told again, so that a run with the
// shapes of the one before tells TensorRT nothing.
class BoundContext {
 public:
  // Throws Error LOAD_FAILED, OUT_OF_MEMORY where TensorRT gave no context.
  BoundContext(std::shared_ptr<LoadedEngine> loaded, std::unique_ptr<nvinfer1::IExecutionContext> context,
               Stream const& stream);

  // Tells the profile, and the shapes and the places of the inputs, and learns the shapes of the outputs.
  // Whether the outputs have to be placed. Throws Error.
  bool tellInputs(Call const& call, RunnerMemory& memory);
  // Tells where the outputs go: one in device memory to the runner's, and one in host memory to the call's.
  // There has to be room.
  void tellOutputs(Call const& call, RunnerMemory& memory);
  // Throws Error, OUT_OF_MEMORY where an output that depends on the data found no room.
  void enqueue(RunnerMemory& memory);

  // Adds the times of the last run's layers to the engine's; its stream has been waited for. Throws Error.
  void reportLayers() const;

  // Makes the next run tell everything: after a switch of profiles, which resets TensorRT, after a failure,
  // which may have come at any point, and when memory moves, in the middle of a run. What that run copies
  // stays known.
  void forgetWhatWasTold();

  // What a run copies to or from device memory: of the shapes told last; 0 for a tensor in host memory, and
  // where the data decides. Counted once, since a run with the shapes of the one before asks it of every
  // tensor.
  size_t deviceBytesOfInput(size_t index) const noexcept { return inputs_[index].deviceBytes; }
  size_t deviceBytesOfOutput(size_t index) const noexcept { return outputs_[index].deviceBytes; }
  // -1 where it depends on the data.
  nvinfer1::Dims const& outputShape(size_t index) const noexcept { return outputs_[index].shape; }
  bool dependsOnData(size_t index) const noexcept { return outputs_[index].dataDependent; }
  bool anyDependsOnData() const noexcept { return anyDataDependent_; }
  bool anyOnHost() const noexcept { return anyOnHost_; }

 private:
  struct Input {
    nvinfer1::Dims shape = unknownDims();
    size_t deviceBytes = 0;
    void const* address = nullptr;
  };
  struct Output {
    nvinfer1::Dims shape = unknownDims();  // what TensorRT said
    size_t deviceBytes = 0;
    void* address = nullptr;  // what TensorRT was told
    bool dataDependent = false;
  };

  void useProfile(int32_t profile);
  void shapeOutput(size_t index, OutputMemory& memory);
  void bind(size_t index, InputMemory const& at, Call const& call);
  void requireRoomFound(RunnerMemory const& memory) const;
  [[noreturn]] void fail(std::string const& what) const { loaded_->fail(what, stream_); }

  std::shared_ptr<LoadedEngine> loaded_;
  Stream const& stream_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  int32_t profile_ = 0;
  bool anyOnHost_ = false;    // a tensor in host memory, whose place and values each call brings
  bool outputsStale_ = true;  // TensorRT has to be asked for the outputs' shapes
  bool anyDataDependent_ = false;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

}  // namespace trtnode
