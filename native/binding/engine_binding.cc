#include "binding/engine_binding.h"

#include <memory>
#include <utility>

#include "binding/addon_data.h"
#include "binding/engine_thread.h"
#include "binding/error_to_js.h"
#include "binding/handle.h"
#include "binding/log_events.h"
#include "binding/values.h"
#include "loader/error.h"

namespace trtnode {
namespace {

template <class T>
Napi::Array arrayToJs(Napi::Env env, std::vector<T> const& values) {
  auto array = Napi::Array::New(env, values.size());
  for (uint32_t index = 0; index < values.size(); ++index) array.Set(index, toJs(env, values[index]));
  return array;
}

Napi::Object engineToJs(Napi::Env env, EngineInfo const& info, std::shared_ptr<EngineThread> thread) {
  auto object = Napi::Object::New(env);
  // close() is the way to end an engine; its handle being collected is the net.
  object.Set("handle", makeHandle<EngineThread>(env, std::move(thread),
                                                [](EngineThread& collected) { collected.stop(); }));
  object.Set("inputs", arrayToJs(env, info.inputs));
  object.Set("outputs", arrayToJs(env, info.outputs));
  object.Set("profiles", arrayToJs(env, info.profiles));
  object.Set("version", info.version);
  return object;
}

Napi::Array outputsToJs(Napi::Env env, std::vector<OutputTensor>& outputs) {
  auto array = Napi::Array::New(env, outputs.size());
  for (uint32_t index = 0; index < outputs.size(); ++index) {
    auto object = Napi::Object::New(env);
    object.Set("name", outputs[index].name);
    object.Set("type", outputs[index].type);
    object.Set("dims", toJs(env, outputs[index].dims));
    object.Set("data", toJs(env, std::move(outputs[index].data)));
    array.Set(index, object);
  }
  return array;
}

LoadRequest loadRequestOf(Napi::Object object) {
  LoadRequest request;
  request.nvinfer = stringOf(object, "nvinfer");
  request.device = intOf(object, "device");
  if (has(object, "plugins")) request.plugins = stringsOf(object.Get("plugins"), "plugins");
  request.allowHostCode = optionalBool(object, "allowHostCode").value_or(false);
  if (has(object, "path")) {
    request.path = stringOf(object, "path");
  } else {
    request.bytes = bytesOf(object.Get("bytes"), "bytes");
  }
  return request;
}

RunRequest runRequestOf(Napi::Object object) {
  RunRequest request;
  auto const feeds = object.Get("feeds").As<Napi::Array>();
  for (uint32_t index = 0; index < feeds.Length(); ++index) {
    auto const feed = feeds.Get(index).As<Napi::Object>();
    request.feeds.push_back(
        {stringOf(feed, "name"), shapeOf(feed.Get("dims"), "dims"), blobOf(feed.Get("data"), "data")});
  }
  request.outputs = stringsOf(object.Get("outputs"), "outputs");
  request.profile = intOf(object, "profile");
  return request;
}

std::exception_ptr closedError() {
  return std::make_exception_ptr(Error(ErrorCode::kClosed, "the engine is closed"));
}

}  // namespace

Napi::Value load(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    AddonData& data = AddonData::of(env);
    LoadRequest request = loadRequestOf(info[0].As<Napi::Object>());
    auto thread = std::make_shared<EngineThread>();
    auto deferred = Napi::Promise::Deferred::New(env);
    uint32_t const work = data.remember(info[1].As<Napi::Function>(), [thread] { thread->stop(); });
    uint32_t const call = data.begin(env, {deferred, {}});
    std::shared_ptr<Dispatcher> const dispatcher = data.dispatcher();

    auto const loaded = [dispatcher, thread, call](LoadedEngine* engine, std::exception_ptr failure) {
      if (engine == nullptr) {
        dispatcher->post([call, failure](Napi::Env env) { AddonData::of(env).reject(env, call, failure); });
        return;
      }
      dispatcher->post([info = engine->info(), thread, call](Napi::Env env) {
        AddonData::of(env).resolve(env, call, [&] { return engineToJs(env, info, thread); });
      });
    };
    thread->whenDown(
        [dispatcher, work] { dispatcher->post([work](Napi::Env env) { AddonData::of(env).forget(work); }); });
    try {
      thread->start(std::move(request), logTo(dispatcher, work), loaded);
    } catch (...) {
      data.forget(work);  // no thread, so it never comes down
      loaded(nullptr, std::current_exception());
    }
    return deferred.Promise();
  });
}

Napi::Value run(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    AddonData& data = AddonData::of(env);
    std::shared_ptr<EngineThread> const thread = fromHandle<EngineThread>(info[0]);
    auto request = std::make_shared<RunRequest>(runRequestOf(info[1].As<Napi::Object>()));
    auto deferred = Napi::Promise::Deferred::New(env);
    uint32_t const call = data.begin(env, {deferred, Napi::Reference<Napi::Value>::New(info[0], 1)});
    std::shared_ptr<Dispatcher> const dispatcher = data.dispatcher();
    thread->submit([dispatcher, call, request](ContextRunner* runner) {
      std::exception_ptr failure = runner == nullptr ? closedError() : nullptr;
      auto outputs = std::make_shared<std::vector<OutputTensor>>();
      try {
        if (runner != nullptr) *outputs = runner->run(*request);
      } catch (...) {
        failure = std::current_exception();
      }
      request->feeds.clear();
      dispatcher->post([call, failure, outputs](Napi::Env env) {
        if (failure != nullptr) {
          AddonData::of(env).reject(env, call, failure);
        } else {
          AddonData::of(env).resolve(env, call, [&] { return outputsToJs(env, *outputs); });
        }
      });
    });
    return deferred.Promise();
  });
}

Napi::Value close(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    AddonData& data = AddonData::of(env);
    std::shared_ptr<EngineThread> const thread = fromHandle<EngineThread>(info[0]);
    auto deferred = Napi::Promise::Deferred::New(env);
    uint32_t const call = data.begin(env, {deferred, {}});
    thread->whenDown([dispatcher = data.dispatcher(), call] {
      dispatcher->post(
          [call](Napi::Env env) { AddonData::of(env).resolve(env, call, [&] { return env.Undefined(); }); });
    });
    thread->stop();
    return deferred.Promise();
  });
}

}  // namespace trtnode
