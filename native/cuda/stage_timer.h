#pragma once

#include <array>
#include <chrono>

#include "cuda/stream.h"

namespace trtnode {

// Milliseconds that the stages of one run took.
struct StageTimes {
  // By the GPU's own clock.
  float hostToDevice = 0;
  float compute = 0;
  float deviceToHost = 0;
  // By the host's: what the thread took to hand the computation to the GPU, and for all of it.
  float enqueue = 0;
  float run = 0;
};

// Four events between and around the three stages, and a watch for the host.
class StageTimer {
 public:
  explicit StageTimer(CudaDriver const& cuda) : cuda_(cuda) {
    try {
      for (CuEvent& event : events_) cuda_.check(cuda_.eventCreate(&event, 0), "cuEventCreate");
    } catch (...) {
      release();
      throw;
    }
  }
  ~StageTimer() { release(); }
  StageTimer(StageTimer const&) = delete;
  StageTimer& operator=(StageTimer const&) = delete;

  // At the beginning of stage 0, 1 and 2, and with 3 at the end of the last.
  void mark(size_t stage, Stream const& stream) const {
    cuda_.check(cuda_.eventRecord(events_[stage], stream.get()), "cuEventRecord");
  }

  void beginRun() { runBegun_ = Clock::now(); }

  // Around the calls that hand the computation to the GPU.
  void beginEnqueue() { enqueueBegun_ = Clock::now(); }
  void endEnqueue() { enqueue_ = since(enqueueBegun_); }

  // At the end of the run, once the stream has been waited for.
  StageTimes times() const { return {between(0), between(1), between(2), enqueue_, since(runBegun_)}; }

 private:
  using Clock = std::chrono::steady_clock;

  static float since(Clock::time_point begin) {
    return std::chrono::duration<float, std::milli>(Clock::now() - begin).count();
  }

  float between(size_t stage) const {
    float milliseconds = 0;
    cuda_.check(cuda_.eventElapsedTime(&milliseconds, events_[stage], events_[stage + 1]),
                "cuEventElapsedTime");
    return milliseconds;
  }

  void release() noexcept {
    for (CuEvent const event : events_) {
      if (event != nullptr) cuda_.eventDestroy(event);
    }
  }

  CudaDriver const& cuda_;
  std::array<CuEvent, 4> events_{};
  Clock::time_point runBegun_;
  Clock::time_point enqueueBegun_;
  float enqueue_ = 0;
};

}  // namespace trtnode
