#include "binding/dispatcher.h"

#include <exception>
#include <iterator>
#include <utility>

#include "binding/error_to_js.h"

namespace trtnode {

std::shared_ptr<Dispatcher> Dispatcher::create(Napi::Env env) {
  auto dispatcher = std::make_shared<Dispatcher>();
  auto* share = new std::shared_ptr<Dispatcher>(dispatcher);  // Node's own share, until onEnd
  napi_status status =
      napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "tensorrt-node"), 0, 1,
                                      share, onEnd, dispatcher.get(), onWake, &dispatcher->function_);
  if (status != napi_ok) {
    delete share;
    throw Napi::Error::New(env, "cannot create a thread-safe function");
  }
  napi_unref_threadsafe_function(env, dispatcher->function_);
  return dispatcher;
}

void Dispatcher::postShared(std::shared_ptr<Posted> work) noexcept {
  std::lock_guard<std::mutex> const lock(mutex_);
  if (function_ == nullptr) return;
  try {
    queue_.push_back(std::move(work));
  } catch (...) {
    return;
  }
  wake();
}

void Dispatcher::wake() {
  if (woken_ || function_ == nullptr) return;
  // napi_closing: the environment is ending, and Node no longer counts this thread as a user.
  if (napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking) == napi_ok) {
    woken_ = true;
  } else {
    function_ = nullptr;
  }
}

void Dispatcher::onWake(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the environment is ending
  static_cast<Dispatcher*>(context)->drain(Napi::Env(env));
}

void Dispatcher::drain(Napi::Env env) {
  // Taken out of the member, should a callback of the user get here again by an event loop of its own.
  Queue batch = std::move(batch_);
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    batch.swap(queue_);
    woken_ = false;
  }
  for (size_t index = 0; index < batch.size(); ++index) {
    Napi::HandleScope const scope(env);
    std::exception_ptr thrown;
    try {
      batch[index]->deliver(env);
    } catch (...) {
      thrown = std::current_exception();
    }
    batch[index] = nullptr;
    if (thrown == nullptr) continue;
    // A callback of the user threw, or memory ran out. It becomes an uncaught exception, and the rest of the
    // work is done after it.
    {
      std::lock_guard<std::mutex> const lock(mutex_);
      queue_.insert(queue_.begin(),
                    std::make_move_iterator(batch.begin() + static_cast<ptrdiff_t>(index) + 1),
                    std::make_move_iterator(batch.end()));
      if (!queue_.empty()) wake();
    }
    try {
      guarded(env, [&] { std::rethrow_exception(thrown); });
    } catch (Napi::Error const& error) {
      try {
        error.ThrowAsJavaScriptException();
      } catch (Napi::Error const&) {
        // The environment is ending, and takes no exceptions any more: terminate() on a busy worker.
      }
    }
    return;
  }
  batch.clear();
  batch_ = std::move(batch);
}

void Dispatcher::onEnd(napi_env, void* data, void*) {
  std::unique_ptr<std::shared_ptr<Dispatcher>> const share(static_cast<std::shared_ptr<Dispatcher>*>(data));
  Queue dropped;  // destroyed without the lock
  std::lock_guard<std::mutex> const lock((*share)->mutex_);
  (*share)->function_ = nullptr;
  dropped.swap((*share)->queue_);
}

void Dispatcher::hold(Napi::Env env) {
  if (holds_++ == 0 && function_ != nullptr) napi_ref_threadsafe_function(env, function_);
}

void Dispatcher::release(Napi::Env env) {
  if (--holds_ == 0 && function_ != nullptr) napi_unref_threadsafe_function(env, function_);
}

}  // namespace trtnode
