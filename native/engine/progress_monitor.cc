#include "engine/progress_monitor.h"

#include <algorithm>
#include <utility>

namespace trtnode {

void ProgressMonitor::phaseStart(char const* name, char const* parent, int32_t steps) noexcept {
  try {
    std::lock_guard<std::mutex> const lock(mutex_);
    running_[name] = {parent != nullptr ? parent : "", std::max(steps, 0)};
    report(name, 0);
  } catch (...) {
    // Progress is for looking at; without memory for it the build still goes on.
  }
}

bool ProgressMonitor::stepComplete(char const* name, int32_t step) noexcept {
  if (cancelled_.load()) return false;
  try {
    std::lock_guard<std::mutex> const lock(mutex_);
    report(name, step + 1);
  } catch (...) {
  }
  return true;
}

void ProgressMonitor::phaseFinish(char const* name) noexcept {
  try {
    std::lock_guard<std::mutex> const lock(mutex_);
    running_.erase(name);
  } catch (...) {
  }
}

void ProgressMonitor::report(std::string const& name, int32_t done) {
  if (!sink_) return;
  auto found = running_.find(name);
  if (found == running_.end()) return;
  Progress progress{name, {}, std::min(done, found->second.steps), found->second.steps};
  // A phase is its own parent's child once only, whatever TensorRT says; so the walk is bounded.
  for (size_t depth = 0; depth < running_.size(); ++depth) {
    found = running_.find(found->second.parent);
    if (found == running_.end()) break;
    progress.parents.push_back(found->first);
  }
  std::reverse(progress.parents.begin(), progress.parents.end());
  sink_(std::move(progress));
}

}  // namespace trtnode
