#pragma once

#include <napi.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>

#include "binding/dispatcher.h"

namespace trtnode {

// What one environment (the main thread, or one worker thread) has of this addon. Everything of JavaScript
// lives here and is used on its thread only; native threads hold an id and the Dispatcher.
class AddonData {
 public:
  // Work that a native thread does for a promise.
  struct Call {
    Napi::Promise::Deferred deferred;
    Napi::Reference<Napi::Value> handle;  // kept alive meanwhile, where it needs one
  };

  explicit AddonData(Napi::Env env) : dispatcher_(Dispatcher::create(env)) {}
  // The environment ends: tells all native work to stop.
  ~AddonData();
  AddonData(AddonData const&) = delete;
  AddonData& operator=(AddonData const&) = delete;

  static AddonData& of(Napi::Env env) { return *env.GetInstanceData<AddonData>(); }

  std::shared_ptr<Dispatcher> const& dispatcher() const noexcept { return dispatcher_; }

  // Begins a call; the event loop stays alive until it is settled. Gives its id.
  uint32_t begin(Napi::Env env, Call call);
  // Settles a call, once: with what `make` gives, or rejects where that throws, as it may for want of memory.
  template <class Make>
  void resolve(Napi::Env env, uint32_t id, Make&& make) {
    Napi::Value value;
    try {
      value = make();
    } catch (...) {
      reject(env, id, std::current_exception());
      return;
    }
    resolveWith(env, id, value);
  }
  void reject(Napi::Env env, uint32_t id, std::exception_ptr failure);

  // Native work of some length: `onEvent` hears of it, and `stop` is called when the environment ends, until
  // the work is forgotten. Gives its id.
  uint32_t remember(Napi::Function onEvent, std::function<void()> stop);
  // Keeps `memory` from being collected until the work is forgotten.
  void keep(uint32_t id, Napi::ArrayBuffer memory);
  void forget(uint32_t id) { works_.erase(id); }
  void emit(uint32_t id, Napi::Object event);

 private:
  struct Work {
    Napi::FunctionReference onEvent;
    std::function<void()> stop;
    Napi::Reference<Napi::ArrayBuffer> memory;
  };

  void resolveWith(Napi::Env env, uint32_t id, Napi::Value value);

  std::shared_ptr<Dispatcher> dispatcher_;
  uint32_t nextId_ = 0;
  std::map<uint32_t, Call> calls_;
  std::map<uint32_t, Work> works_;
};

}  // namespace trtnode
