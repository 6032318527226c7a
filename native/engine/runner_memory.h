#pragma once

#include <memory>
#include <vector>

#include "cuda/device_buffer.h"
#include "engine/engine_info.h"
#include "engine/output_allocator.h"

namespace trtnode {

// Where an input lies in device memory.
struct InputMemory {
  InputMemory(TensorFacts const& tensor, GpuMemory& gpu) : facts(&tensor), buffer(gpu) {}

  TensorFacts const* facts;
  DeviceBuffer buffer;
};

// Where an output lies in device memory.
struct OutputMemory {
  OutputMemory(TensorFacts const& tensor, GpuMemory& gpu) : facts(&tensor), buffer(gpu) {}

  TensorFacts const* facts;
  DeviceBuffer buffer;
  OutputAllocator allocator{buffer};
};

// The device memory of a runner's inputs and outputs, in the engine's order. Whatever the execution context
// is that computes, it is the same, and an address that TensorRT was told stays as it is.
struct RunnerMemory {
  RunnerMemory(EngineInfo const& info, GpuMemory& gpu) {
    for (TensorFacts const& facts : info.inputs) inputs.push_back(std::make_unique<InputMemory>(facts, gpu));
    for (TensorFacts const& facts : info.outputs)
      outputs.push_back(std::make_unique<OutputMemory>(facts, gpu));
  }

  std::vector<std::unique_ptr<InputMemory>> inputs;
  std::vector<std::unique_ptr<OutputMemory>> outputs;
};

}  // namespace trtnode
