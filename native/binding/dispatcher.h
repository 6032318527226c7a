#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace trtnode {

// Work for the JavaScript thread.
class Posted {
 public:
  virtual ~Posted() = default;
  // On the JavaScript thread, in a handle scope of its own.
  virtual void deliver(Napi::Env env) = 0;
};

// Carries work from any thread to the JavaScript thread of one environment, in order. One wake-up serves all
// the work that came until it was heard, so a chatty build costs the event loop little.
class Dispatcher {
 public:
  static std::shared_ptr<Dispatcher> create(Napi::Env env);

  // From any thread. Dropped where the environment has ended. An error is to be moved into `function`, so
  // that JavaScript's thread destroys it: ThreadSanitizer does not see libstdc++ count the shares that two
  // have.
  template <class Function>
  void post(Function function) noexcept {
    class Once final : public Posted {
     public:
      explicit Once(Function function) : function_(std::move(function)) {}
      void deliver(Napi::Env env) override { function_(env); }

     private:
      Function function_;
    };
    try {
      postShared(std::make_shared<Once>(std::move(function)));
    } catch (...) {
      // No memory: lost, as where the environment has ended.
    }
  }
  // The same for work that is posted again and again: it allocates nothing in the long run.
  void postShared(std::shared_ptr<Posted> work) noexcept;

  // From the JavaScript thread: while there are more holds than releases, the event loop stays alive.
  void hold(Napi::Env env);
  void release(Napi::Env env);

 private:
  using Queue = std::vector<std::shared_ptr<Posted>>;

  static void onWake(napi_env env, napi_value callback, void* context, void* data);
  static void onEnd(napi_env env, void* data, void* hint);

  void drain(Napi::Env env);
  void wake();  // with mutex_ held

  std::mutex mutex_;
  Queue queue_;
  Queue batch_;  // of the JavaScript thread: what it works on, and the room that the next batch fills
  bool woken_ = false;
  // Null once the environment ends. Guarded by mutex_: Node frees it as soon as onEnd returns.
  napi_threadsafe_function function_ = nullptr;
  int holds_ = 0;
};

}  // namespace trtnode
