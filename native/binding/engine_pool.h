#pragma once

#include <node_api.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "binding/dispatcher.h"
#include "binding/engine_slot.h"
#include "engine/context_runner.h"

namespace trtnode {

// One engine with its execution contexts, each in a slot with a thread of its own.
//
// Which call gets which slot is decided above (src/api/call-queue.ts), so there is no queue here: a slot does
// one thing at a time, and refuses a second.
//
// The first slot's thread loads the engine and makes all contexts; then each thread serves its own, and takes
// it down. The engine goes with the last.
class EnginePool : public std::enable_shared_from_this<EnginePool> {
 public:
  // Of its handles in JavaScript.
  static constexpr napi_type_tag kTag = {0x7472746e6f646545, 0x2f6b3c8d1e5a4970};

  explicit EnginePool(std::shared_ptr<Dispatcher> dispatcher) : dispatcher_(std::move(dispatcher)) {}

  // `loaded` is called once on a thread of the pool: with what was loaded, or with the error, of which the
  // thread keeps no share.
  using Loaded = std::function<void(std::shared_ptr<LoadedEngine> const&, std::exception_ptr)>;
  void start(LoadRequest request, LogSink log, Loaded loaded);

  // Of a pool that has loaded; from the JavaScript thread, as all of a slot. Throws Error INVALID_ARGUMENT
  // where there is no such slot, and CLOSED after stop().
  EngineSlot& slot(int32_t index);

  // Of a pool that has loaded.
  size_t slotCount() const noexcept { return slots_.size(); }

  // Lets what runs end, and then takes the engine down. From the JavaScript thread, any number of times.
  void stop();

  // Calls `down` on a thread of the pool once the engine is down (or was never up), at once where it is
  // already.
  void whenDown(std::function<void()> down);

 private:
  void live(LoadRequest request, LogSink log, Loaded const& loaded);
  void startThread(EngineSlot& slot, std::shared_ptr<LoadedEngine> engine);
  void leave();

  std::shared_ptr<Dispatcher> const dispatcher_;
  std::vector<std::unique_ptr<EngineSlot>>
      slots_;  // complete before `loaded` is called, and the same ever after
  std::atomic<int> threads_{0};
  std::mutex mutex_;
  std::deque<std::function<void()>> downCallbacks_;
  bool stopping_ = false;
  bool down_ = false;
};

}  // namespace trtnode
