#include "binding/engine_slot.h"

#include <sched.h>

#include <chrono>
#include <utility>

#include "binding/error_to_js.h"
#include "loader/error.h"

namespace trtnode {
namespace {

// How long a slot's thread waits awake after a task. `infer` of small tensors, to a round trip of
// napi_async_work: 1.45 to 1.65 where it slept at once, 0.51 to 0.59 with 20 microseconds, 0.45 to 0.50 with
// 50, on a machine with two processors of which none was busy (bench/runner.mjs).
constexpr std::chrono::microseconds kLinger(50);
// Between two looks at the clock, which costs more than those at the task.
constexpr int kLooksByTheClock = 32;

// Whoever waits awake then keeps those from running that it waits for. What a container may use of several
// processors, a quota of time, is not in this.
bool mayUseOneProcessor() noexcept {
  cpu_set_t processors;
  return sched_getaffinity(0, sizeof(processors), &processors) == 0 && CPU_COUNT(&processors) < 2;
}

// Tells the processor that this is a loop that waits.
void pauseProcessor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

EngineSlot::EngineSlot(std::shared_ptr<LoadedEngine> const& engine, std::shared_ptr<Dispatcher> dispatcher)
    : info_(engine->info()),
      gpu_(engine->gpu()),
      graphs_(engine->graphs()),
      layerTimes_(engine->layerTimes()),
      dispatcher_(std::move(dispatcher)),
      runner_(std::make_unique<ContextRunner>(engine)),
      call_(info_.inputs.size(), info_.outputs.size()),
      large_(info_.outputs.size()) {
  call_.host = &runner_->host();
}

void EngineSlot::requireIdle() const {
  if (busy_) throw Error(ErrorCode::kInvalidArgument, "the slot is busy");
}

Napi::Value EngineSlot::start(Napi::Env env, std::shared_ptr<Posted> self, Task task, Settle settle) {
  napi_value promise = nullptr;
  if (napi_create_promise(env, &deferred_, &promise) != napi_ok) {
    throw Error(ErrorCode::kInferenceFailed, "JavaScript made no promise");
  }
  busy_ = true;
  self_ = std::move(self);
  settle_ = settle;
  dispatcher_->hold(env);
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    task_ = task;
  }
  changed_.notify_one();
  return {env, promise};
}

void EngineSlot::runSync(Task task) {
  std::lock_guard<std::mutex> const lock(mutex_);
  PrimaryContext::Scope const scope(gpu_->context());
  task(*this, *runner_);
}

void EngineSlot::deliver(Napi::Env env) {
  busy_ = false;
  dispatcher_->release(env);
  std::exception_ptr failure = std::move(failure_);
  failure_ = nullptr;
  Napi::Value value;
  if (failure == nullptr) {
    try {
      value = settle_(env, *this);
    } catch (...) {
      failure = std::current_exception();  // of memory that ran out
    }
  }
  for (Blob& blob : large_) blob = Blob();
  call_.releaseDeviceMemory();
  if (bound != nullptr) bound->running = false;
  bound = nullptr;
  if (failure == nullptr) {
    napi_resolve_deferred(env, deferred_, value);
  } else {
    napi_reject_deferred(env, deferred_, errorToJs(env, failure).Value());
  }
}

void EngineSlot::serve(std::shared_ptr<LoadedEngine> engine) {
  std::exception_ptr unusable;
  try {
    gpu_->context().makeCurrent();
  } catch (...) {
    unusable = std::current_exception();
  }
  for (;;) {
    lingerForTask();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || hasTask(); });
      if (!hasTask()) break;
    }
    perform(unusable);
  }
  runner_ = nullptr;
  gpu_ = nullptr;
  engine = nullptr;
}

// Waits awake for a little: the call after the last one often comes at once, and to wake a thread that sleeps
// takes longer than all else that a small run costs on the host.
void EngineSlot::lingerForTask() const noexcept {
  using Clock = std::chrono::steady_clock;
  static bool const oneProcessor = mayUseOneProcessor();
  if (oneProcessor) return;
  Clock::time_point const end = Clock::now() + kLinger;
  do {
    for (int look = 0; look < kLooksByTheClock; ++look) {
      if (hasTask() || stopping_.load(std::memory_order_relaxed)) return;
      pauseProcessor();
    }
  } while (Clock::now() < end);
}

void EngineSlot::perform(std::exception_ptr const& unusable) {
  try {
    if (unusable != nullptr) std::rethrow_exception(unusable);
    task_.load()(*this, *runner_);
  } catch (...) {
    failure_ = std::current_exception();
  }
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    task_ = nullptr;
  }
  // From here on the slot is JavaScript's, which may start the next task before this returns.
  std::shared_ptr<Posted> self = std::move(self_);
  dispatcher_->postShared(std::move(self));
}

void EngineSlot::stop() {
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
}

}  // namespace trtnode
