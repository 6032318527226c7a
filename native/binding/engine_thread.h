#pragma once

#include <node_api.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "engine/context_runner.h"

namespace trtnode {

// One engine and the thread that loads it, runs it and takes it down; nothing else calls TensorRT for it.
// Tasks run one at a time, in the order in which they came.
class EngineThread : public std::enable_shared_from_this<EngineThread> {
 public:
  // Of its handles in JavaScript.
  static constexpr napi_type_tag kTag = {0x7472746e6f646545, 0x2f6b3c8d1e5a4970};

  // Gets the runner, or null where the engine was stopped before the task's turn came.
  using Task = std::function<void(ContextRunner*)>;

  // `loaded` is called once on the engine's thread: with what was loaded, or with the error.
  using Loaded = std::function<void(LoadedEngine*, std::exception_ptr)>;
  void start(LoadRequest request, LogSink log, Loaded loaded);

  // After stop() the task is called at once, with null.
  void submit(Task task);

  // Lets the running task end, and then takes the engine down. From any thread, any number of times.
  void stop();

  // Calls `down` on the engine's thread once the engine is down (or was never up), at once where it is
  // already.
  void whenDown(std::function<void()> down);

 private:
  void live(LoadRequest request, LogSink log, Loaded const& loaded);
  void work(ContextRunner& runner);
  void finish();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::deque<std::function<void()>> downCallbacks_;
  bool stopping_ = false;
  bool down_ = false;
};

}  // namespace trtnode
