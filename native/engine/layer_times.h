#pragma once

#include <NvInferRuntime.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace trtnode {

// What TensorRT told of one layer, in milliseconds of the GPU.
struct LayerTime {
  std::string name;
  uint64_t runs = 0;
  double total = 0;
  float shortest = 0;
  float longest = 0;
};

// Adds up the times of an engine's layers, of all its contexts. May be used from any thread.
class LayerTimes final : public nvinfer1::IProfiler {
 public:
  void reportLayerTime(char const* layer, float milliseconds) noexcept override {
    try {
      std::lock_guard<std::mutex> const lock(mutex_);
      auto const [found, isNew] = index_.try_emplace(layer, times_.size());
      if (isNew) times_.push_back({layer, 0, 0, milliseconds, milliseconds});
      LayerTime& time = times_[found->second];
      ++time.runs;
      time.total += static_cast<double>(milliseconds);
      time.shortest = std::min(time.shortest, milliseconds);
      time.longest = std::max(time.longest, milliseconds);
    } catch (...) {
      // No memory for one more name: this time is not told.
    }
  }

  // In the order in which TensorRT told of them first, which is the order of execution.
  std::vector<LayerTime> times() const {
    std::lock_guard<std::mutex> const lock(mutex_);
    return times_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, size_t> index_;
  std::vector<LayerTime> times_;
};

}  // namespace trtnode
