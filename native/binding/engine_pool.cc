#include "binding/engine_pool.h"

#include <utility>

#include "binding/native_thread.h"
#include "loader/error.h"

namespace trtnode {

void EnginePool::start(LoadRequest request, LogSink log, Loaded loaded) {
  threads_ = 1;
  startNativeThread([self = shared_from_this(), request = std::move(request), log = std::move(log),
                     loaded = std::move(loaded)]() mutable {
    self->live(std::move(request), std::move(log), loaded);
    self->leave();
  });
}

void EnginePool::live(LoadRequest request, LogSink log, Loaded const& loaded) {
  std::vector<std::unique_ptr<EngineSlot>> slots;
  std::shared_ptr<LoadedEngine> engine;
  std::exception_ptr failure;
  try {
    engine = LoadedEngine::load(request, std::move(log));
    request.bytes = {};
    for (int index = 0; index < request.contexts; ++index) {
      slots.push_back(std::make_unique<EngineSlot>(engine, dispatcher_));
    }
    std::lock_guard<std::mutex> const lock(mutex_);
    slots_ = std::move(slots);
    if (stopping_) {
      for (auto const& slot : slots_) slot->stop();
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure != nullptr) {
    slots.clear();
    engine = nullptr;
    loaded(nullptr, std::move(failure));
    return;
  }
  size_t started = 1;
  try {
    for (; started < slots_.size(); ++started) startThread(*slots_[started], engine);
    loaded(engine, nullptr);
  } catch (...) {
    failure = std::current_exception();
    stop();
  }
  for (size_t index = started; index < slots_.size(); ++index) slots_[index]->serve(engine);  // takes it down
  slots_.front()->serve(std::move(engine));
  if (failure != nullptr) loaded(nullptr, std::move(failure));
}

void EnginePool::startThread(EngineSlot& slot, std::shared_ptr<LoadedEngine> engine) {
  ++threads_;
  try {
    startNativeThread([self = shared_from_this(), &slot, engine = std::move(engine)]() mutable {
      slot.serve(std::move(engine));
      self->leave();
    });
  } catch (...) {
    --threads_;
    throw;
  }
}

// Called by each thread when it has nothing more to do with the engine.
void EnginePool::leave() {
  if (--threads_ > 0) return;
  std::deque<std::function<void()>> callbacks;
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    stopping_ = true;
    down_ = true;
    callbacks.swap(downCallbacks_);
  }
  for (auto const& callback : callbacks) callback();
}

EngineSlot& EnginePool::slot(int32_t index) {
  std::lock_guard<std::mutex> const lock(mutex_);
  if (stopping_) throw Error(ErrorCode::kClosed, "the engine is closed");
  if (index < 0 || static_cast<size_t>(index) >= slots_.size()) {
    throw Error(ErrorCode::kInvalidArgument, "the engine has no slot " + std::to_string(index));
  }
  return *slots_[static_cast<size_t>(index)];
}

void EnginePool::stop() {
  std::lock_guard<std::mutex> const lock(mutex_);
  stopping_ = true;
  for (auto const& slot : slots_) slot->stop();
}

void EnginePool::whenDown(std::function<void()> down) {
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    if (!down_) {
      downCallbacks_.push_back(std::move(down));
      return;
    }
  }
  down();
}

}  // namespace trtnode
