#pragma once

#include <NvInfer.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace trtnode {

// BuildProgress of src/api/options.ts, without the time.
struct Progress {
  std::string phase;
  std::vector<std::string> parents;  // outermost first
  int32_t step;                      // steps that are done
  int32_t steps;
};

// Called on any thread, TensorRT's own among them.
using ProgressSink = std::function<void(Progress)>;

// Turns TensorRT's callbacks into Progress, and ends the build at its next step once `cancelled` is set.
class ProgressMonitor final : public nvinfer1::IProgressMonitor {
 public:
  ProgressMonitor(std::atomic<bool> const& cancelled, ProgressSink sink)
      : cancelled_(cancelled), sink_(std::move(sink)) {}

  void phaseStart(char const* name, char const* parent, int32_t steps) noexcept override;
  bool stepComplete(char const* name, int32_t step) noexcept override;
  void phaseFinish(char const* name) noexcept override;

 private:
  struct Phase {
    std::string parent;
    int32_t steps;
  };

  void report(std::string const& name, int32_t done);

  std::atomic<bool> const& cancelled_;
  ProgressSink sink_;
  std::mutex mutex_;
  std::map<std::string, Phase> running_;
};

}  // namespace trtnode
