#pragma once

#include <napi.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace trtnode {

// Carries work from any thread to the JavaScript thread of one environment, in order. One wake-up serves all
// the work that came until it was heard, so a chatty build costs the event loop little.
class Dispatcher {
 public:
  using Work = std::function<void(Napi::Env)>;

  static std::shared_ptr<Dispatcher> create(Napi::Env env);

  // From any thread. Dropped where the environment has ended.
  void post(Work work) noexcept;

  // From the JavaScript thread: while there are more holds than releases, the event loop stays alive.
  void hold(Napi::Env env);
  void release(Napi::Env env);

 private:
  static void onWake(napi_env env, napi_value callback, void* context, void* data);
  static void onEnd(napi_env env, void* data, void* hint);

  void drain(Napi::Env env);
  void wake();  // with mutex_ held

  std::mutex mutex_;
  std::deque<Work> queue_;
  bool woken_ = false;
  // Null once the environment ends. Guarded by mutex_: Node frees it as soon as onEnd returns.
  napi_threadsafe_function function_ = nullptr;
  int holds_ = 0;
};

}  // namespace trtnode
