#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "binding/bound_memory.h"
#include "binding/dispatcher.h"
#include "binding/exchange.h"
#include "engine/blob.h"
#include "engine/context_runner.h"

namespace trtnode {

// One execution context, the thread that serves it, and the call that it works on.
//
// Everything but serve() and stop() is of the JavaScript thread. While a task runs, its call and its memory
// are the thread's; runSync runs on the JavaScript thread itself, while the slot's thread waits.
class EngineSlot final : public Posted {
 public:
  // What the slot's thread does, and what becomes of it for JavaScript: plain functions, so that starting one
  // allocates nothing.
  using Task = void (*)(EngineSlot&, ContextRunner&);
  using Settle = Napi::Value (*)(Napi::Env, EngineSlot&);

  // Makes the execution context, on a thread on which the GPU's context is current.
  EngineSlot(std::shared_ptr<LoadedEngine> const& engine, std::shared_ptr<Dispatcher> dispatcher);

  // The call of engine.infer, and the memory for its inputs and outputs.
  Call& call() noexcept { return call_; }
  HostTensors& host() noexcept { return runner_->host(); }
  EngineInfo const& info() const noexcept { return info_; }
  std::shared_ptr<GpuMemory> const& gpu() const noexcept { return gpu_; }
  std::shared_ptr<GraphCounts> const& graphs() const noexcept { return graphs_; }
  std::shared_ptr<LayerTimes> const& layerTimes() const noexcept { return layerTimes_; }
  // What it is asked and tells in numbers; of no memory before the engine is JavaScript's.
  Exchange& exchange() noexcept { return exchange_; }
  // Copies of outputs that are too large for the JavaScript thread to copy.
  std::vector<Blob>& large() noexcept { return large_; }
  // What the task is about, where it is about a binding.
  std::shared_ptr<BoundMemory> bound;
  std::string text;                   // what a task tells
  std::vector<NamedWeights> weights;  // what a task takes

  // Throws Error INVALID_ARGUMENT where the slot has something to do already.
  void requireIdle() const;

  // Starts `task` on the slot's thread. `self` is a share of the slot and its pool. Gives a promise, which
  // `settle`'s value resolves.
  Napi::Value start(Napi::Env env, std::shared_ptr<Posted> self, Task task, Settle settle);

  // Runs `task` here and now.
  void runSync(Task task);

  void deliver(Napi::Env env) override;

  // The life of the slot's thread: ends after stop(), with the execution context, and then the engine, taken
  // down.
  void serve(std::shared_ptr<LoadedEngine> engine);
  void stop();

 private:
  void perform(std::exception_ptr const& unusable);
  void lingerForTask() const noexcept;
  bool hasTask() const noexcept { return task_.load(std::memory_order_relaxed) != nullptr; }

  EngineInfo const info_;
  std::shared_ptr<GpuMemory>
      gpu_;  // until the thread ends: what JavaScript still holds of the slot holds no GPU
  std::shared_ptr<GraphCounts> const graphs_;
  std::shared_ptr<LayerTimes> const layerTimes_;
  std::shared_ptr<Dispatcher> const dispatcher_;
  std::unique_ptr<ContextRunner> runner_;
  Call call_;
  Exchange exchange_;
  std::vector<Blob> large_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Written with mutex_ held. The slot's thread looks without it whether it is worth taking, and knows its
  // own task.
  std::atomic<Task> task_{nullptr};  // waiting for the thread, or running
  std::atomic<bool> stopping_{false};

  bool busy_ = false;
  std::shared_ptr<Posted> self_;  // while busy
  Settle settle_ = nullptr;
  napi_deferred deferred_ = nullptr;
  std::exception_ptr failure_;
};

}  // namespace trtnode
