#include "binding/engine_thread.h"

#include <utility>

#include "binding/native_thread.h"

namespace trtnode {

void EngineThread::start(LoadRequest request, LogSink log, Loaded loaded) {
  startNativeThread([self = shared_from_this(), request = std::move(request), log = std::move(log),
                     loaded = std::move(loaded)]() mutable {
    self->live(std::move(request), std::move(log), loaded);
    self->finish();
  });
}

void EngineThread::live(LoadRequest request, LogSink log, Loaded const& loaded) {
  std::unique_ptr<ContextRunner> runner;
  try {
    std::shared_ptr<LoadedEngine> const engine = LoadedEngine::load(request, std::move(log));
    runner = std::make_unique<ContextRunner>(engine);
    loaded(engine.get(), nullptr);
  } catch (...) {
    loaded(nullptr, std::current_exception());
    return;
  }
  request.bytes = {};
  work(*runner);
}

void EngineThread::work(ContextRunner& runner) {
  for (;;) {
    Task task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task(&runner);
  }
}

void EngineThread::finish() {
  std::deque<Task> tasks;
  std::deque<std::function<void()>> callbacks;
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    stopping_ = true;
    down_ = true;
    tasks.swap(tasks_);
    callbacks.swap(downCallbacks_);
  }
  for (Task const& task : tasks) task(nullptr);
  for (auto const& callback : callbacks) callback();
}

void EngineThread::submit(Task task) {
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    if (!stopping_) {
      tasks_.push_back(std::move(task));
      changed_.notify_one();
      return;
    }
  }
  task(nullptr);
}

void EngineThread::stop() {
  std::lock_guard<std::mutex> const lock(mutex_);
  stopping_ = true;
  changed_.notify_one();
}

void EngineThread::whenDown(std::function<void()> down) {
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
