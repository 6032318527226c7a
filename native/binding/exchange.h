#pragma once

#include <NvInferRuntime.h>

#include <cstddef>
#include <cstdint>

#include "cuda/stage_timer.h"
#include "loader/error.h"

namespace trtnode {

// What JavaScript and one slot tell each other in numbers, in memory of JavaScript's that both see: shapes
// and times. By calls of Node-API, each number would cost one, of some 30 ns. Of the JavaScript thread alone,
// as that is where a call begins and where it is settled.
//
// Five times, then of each input and each output 9 numbers: the rank and the dimensions. Before a run, the
// first of an output is whether it is wanted. src/backends/tensorrt/slot-exchange.ts is the other side.
class Exchange {
 public:
  static constexpr size_t lengthFor(size_t inputCount, size_t outputCount) noexcept {
    return kTimes + (inputCount + outputCount) * kTensor;
  }

  Exchange() = default;
  // lengthFor() numbers.
  Exchange(double* numbers, size_t inputCount) noexcept
      : times_(numbers), inputs_(numbers + kTimes), outputs_(inputs_ + inputCount * kTensor) {}

  // Throws Error INVALID_INPUT.
  nvinfer1::Dims inputShape(size_t index) const {
    double const* const numbers = inputs_ + index * kTensor;
    if (!(numbers[0] >= 0 && numbers[0] <= nvinfer1::Dims::MAX_DIMS)) {
      throw Error(ErrorCode::kInvalidInput, "dims: expected at most 8 dimensions");
    }
    nvinfer1::Dims dims{};
    dims.nbDims = static_cast<int32_t>(numbers[0]);
    for (int32_t axis = 0; axis < dims.nbDims; ++axis) dims.d[axis] = static_cast<int64_t>(numbers[1 + axis]);
    return dims;
  }

  bool isWanted(size_t index) const noexcept { return outputs_[index * kTensor] != 0; }

  void tellOutput(size_t index, nvinfer1::Dims const& dims) noexcept {
    double* const numbers = outputs_ + index * kTensor;
    numbers[0] = dims.nbDims;
    for (int32_t axis = 0; axis < dims.nbDims; ++axis) numbers[1 + axis] = static_cast<double>(dims.d[axis]);
  }

  void tellTimes(StageTimes const& times) noexcept {
    times_[0] = times.hostToDevice;
    times_[1] = times.compute;
    times_[2] = times.deviceToHost;
    times_[3] = times.enqueue;
    times_[4] = times.run;
  }

 private:
  static constexpr size_t kTimes = 5;
  static constexpr size_t kTensor = 1 + nvinfer1::Dims::MAX_DIMS;

  double* times_ = nullptr;
  double* inputs_ = nullptr;
  double* outputs_ = nullptr;
};

}  // namespace trtnode
