#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/device_buffer.h"
#include "cuda/pinned_buffer.h"
#include "cuda/stage_timer.h"
#include "engine/device_memory.h"

namespace trtnode {

// Pinned memory for the inputs and outputs of one call, in the engine's order.
struct HostTensors {
  HostTensors(GpuMemory& gpu, size_t inputCount, size_t outputCount) {
    inputs.reserve(inputCount);
    outputs.reserve(outputCount);
    while (inputs.size() < inputCount) inputs.emplace_back(gpu);
    while (outputs.size() < outputCount) outputs.emplace_back(gpu);
  }

  std::vector<PinnedBuffer> inputs;
  std::vector<PinnedBuffer> outputs;
};

// What one run takes and gives, in the engine's order of inputs and outputs. Made once and used again, so
// that a run allocates nothing.
struct Call {
  Call(size_t inputCount, size_t outputCount)
      : inputShapes(inputCount),
        wanted(outputCount, 1),
        deviceInputs(inputCount),
        deviceOutputs(outputCount),
        outputShapes(outputCount) {}

  // Lets go of device memory: others may have it from now on.
  void releaseDeviceMemory() {
    for (auto& memory : deviceInputs) memory = nullptr;
    for (auto& memory : deviceOutputs) memory = nullptr;
  }

  int32_t profile = 0;
  std::vector<nvinfer1::Dims> inputShapes;
  std::vector<uint8_t> wanted;  // which outputs are to be copied to the host
  HostTensors* host = nullptr;
  // Of the inputs that are on the device already; the others are in `host`.
  std::vector<std::shared_ptr<DeviceMemory>> deviceInputs;
  // Whether the wanted outputs stay on the device, in `deviceOutputs`.
  bool toDevice = false;

  std::vector<std::shared_ptr<DeviceMemory>> deviceOutputs;
  std::vector<nvinfer1::Dims> outputShapes;
  StageTimes times;
};

}  // namespace trtnode
