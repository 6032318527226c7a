#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "cuda/device_buffer.h"
#include "cuda/pinned_buffer.h"
#include "cuda/stage_timer.h"

namespace trtnode {

// Pinned memory for the inputs and outputs of one call, in the engine's order.
struct HostTensors {
  HostTensors(GpuMemory& gpu, size_t inputCount, size_t outputCount) {
    for (size_t index = 0; index < inputCount; ++index) inputs.emplace_back(gpu);
    for (size_t index = 0; index < outputCount; ++index) outputs.emplace_back(gpu);
  }

  std::deque<PinnedBuffer> inputs;
  std::deque<PinnedBuffer> outputs;
};

// What one run takes and gives, in the engine's order of inputs and outputs. Made once and used again, so
// that a run allocates nothing.
struct Call {
  Call(size_t inputCount, size_t outputCount)
      : inputShapes(inputCount), wanted(outputCount, 1), outputShapes(outputCount) {}

  int32_t profile = 0;
  std::vector<nvinfer1::Dims> inputShapes;
  std::vector<uint8_t> wanted;  // which outputs are to be copied to the host
  HostTensors* host = nullptr;

  std::vector<nvinfer1::Dims> outputShapes;
  StageTimes times;
};

}  // namespace trtnode
