#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace trtnode {

// What an engine's runners did with CUDA graphs. May be read from any thread.
class GraphCounts {
 public:
  std::atomic<uint64_t> captured{0};
  std::atomic<uint64_t> launched{0};
  std::atomic<uint64_t> dropped{0};

  // Why runs went without one, the first time that they had to; empty: they never had to.
  std::string fallback() const {
    std::lock_guard<std::mutex> const lock(mutex_);
    return fallback_;
  }
  void noteFallback(std::string const& reason) {
    std::lock_guard<std::mutex> const lock(mutex_);
    if (fallback_.empty()) fallback_ = reason;
  }

 private:
  mutable std::mutex mutex_;
  std::string fallback_;
};

}  // namespace trtnode
