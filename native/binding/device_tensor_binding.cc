#include "binding/device_tensor_binding.h"

#include <utility>

#include "binding/addon_data.h"
#include "binding/error_to_js.h"
#include "binding/handle.h"
#include "binding/native_thread.h"
#include "binding/values.h"

namespace trtnode {

// On a thread of its own: it waits for the copy, and the engine that made the tensor may be closed.
Napi::Value readDeviceTensor(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    std::shared_ptr<DeviceMemory> memory = fromHandle<DeviceTensor>(info[0])->memory;
    AddonData& data = AddonData::of(env);
    auto deferred = Napi::Promise::Deferred::New(env);
    uint32_t const call = data.begin(env, {deferred, {}});
    std::shared_ptr<Dispatcher> const dispatcher = data.dispatcher();
    auto const failWith = [dispatcher, call](std::exception_ptr failure) {
      dispatcher->post([call, failure](Napi::Env env) { AddonData::of(env).reject(env, call, failure); });
    };
    try {
      startNativeThread([dispatcher, call, failWith, memory = std::move(memory)]() mutable {
        try {
          auto const blob = std::make_shared<Blob>(memory->read());
          dispatcher->post([call, blob](Napi::Env env) {
            AddonData::of(env).resolve(env, call, [&] { return toJs(env, std::move(*blob)); });
          });
        } catch (...) {
          failWith(std::current_exception());
        }
        memory = nullptr;
      });
    } catch (...) {
      failWith(std::current_exception());
    }
    return deferred.Promise();
  });
}

Napi::Value releaseDeviceTensor(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    shareOf<DeviceTensor>(info[0]) = nullptr;
    return env.Undefined();
  });
}

}  // namespace trtnode
