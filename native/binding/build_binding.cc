#include "binding/build_binding.h"

#include <atomic>
#include <memory>
#include <utility>

#include "binding/addon_data.h"
#include "binding/error_to_js.h"
#include "binding/handle.h"
#include "binding/log_events.h"
#include "binding/native_thread.h"
#include "binding/values.h"
#include "engine/builder.h"

namespace trtnode {
namespace {

struct BuildJob {
  static constexpr napi_type_tag kTag = {0x7472746e6f646542, 0x8c1d5a0e9b7f4c21};

  BuildRequest request;
  // Whether anybody listens. TensorRT-RTX writes 13,600 lines while it builds a network of 765 nodes, and to
  // make objects of them took a tenth of the build's processor time.
  bool log = true;
  bool progress = true;
  std::atomic<bool> cancelled{false};
};

BuildSettings settingsOf(Napi::Object object) {
  BuildSettings settings;
  settings.fp16 = optionalBool(object, "fp16");
  settings.bf16 = optionalBool(object, "bf16");
  settings.tf32 = optionalBool(object, "tf32");
  settings.stronglyTyped = optionalBool(object, "stronglyTyped");
  settings.sparsity = optionalBool(object, "sparsity");
  settings.versionCompatible = optionalBool(object, "versionCompatible");
  settings.stripPlan = optionalBool(object, "stripPlan");
  settings.weightStreaming = optionalBool(object, "weightStreaming");
  settings.optimizationLevel = optionalInt(object, "optimizationLevel");
  settings.maxAuxStreams = optionalInt(object, "maxAuxStreams");
  settings.hardwareCompatibility = optionalString(object, "hardwareCompatibility");
  settings.profilingVerbosity = optionalString(object, "profilingVerbosity");
  settings.timingCache = optionalString(object, "timingCache").value_or("");
  if (has(object, "refittable")) {
    Napi::Value const refittable = object.Get("refittable");
    if (refittable.IsString()) settings.refitIdentical = true;
    if (refittable.IsBoolean() && refittable.As<Napi::Boolean>().Value()) settings.refit = true;
  }
  if (has(object, "tacticSources")) {
    settings.tacticSources = stringsOf(object.Get("tacticSources"), "tacticSources");
  }
  if (has(object, "computeCapabilities")) {
    settings.computeCapabilities = stringsOf(object.Get("computeCapabilities"), "computeCapabilities");
  }
  auto const addPool = [&settings](Napi::Object pools, std::string const& name) {
    settings.memoryPools[name] = static_cast<uint64_t>(pools.Get(name).As<Napi::Number>().Int64Value());
  };
  if (has(object, "workspace")) addPool(object, "workspace");
  if (has(object, "memoryPools")) {
    auto const pools = object.Get("memoryPools").As<Napi::Object>();
    for (std::string const& name : stringsOf(pools.GetPropertyNames(), "memoryPools")) {
      if (has(pools, name.c_str())) addPool(pools, name);
    }
  }
  return settings;
}

Profile profileOf(Napi::Object object) {
  Profile profile;
  for (std::string const& name : stringsOf(object.GetPropertyNames(), "profiles")) {
    auto const range = object.Get(name).As<Napi::Object>();
    profile[name] = {shapeOf(range.Get("min"), "min"), shapeOf(range.Get("opt"), "opt"),
                     shapeOf(range.Get("max"), "max")};
  }
  return profile;
}

BuildRequest requestOf(Napi::Object object) {
  BuildRequest request;
  request.nvinfer = stringOf(object, "nvinfer");
  request.onnxParser = stringOf(object, "onnxParser");
  auto const model = object.Get("model").As<Napi::Object>();
  if (has(model, "path")) {
    request.modelPath = stringOf(model, "path");
  } else {
    request.modelBytes = bytesOf(model.Get("bytes"), "model.bytes");
  }
  auto const profiles = object.Get("profiles").As<Napi::Array>();
  for (uint32_t index = 0; index < profiles.Length(); ++index) {
    request.profiles.push_back(profileOf(profiles.Get(index).As<Napi::Object>()));
  }
  if (has(object, "plugins")) request.plugins = stringsOf(object.Get("plugins"), "plugins");
  request.settings = settingsOf(object.Get("settings").As<Napi::Object>());
  return request;
}

Napi::Object resultToJs(Napi::Env env, BuildResult& result) {
  auto object = Napi::Object::New(env);
  object.Set("plan", toJs(env, std::move(result.plan)));
  object.Set("version", result.version);
  object.Set("precision", result.precision);
  object.Set("computeCapabilities", toJs(env, result.computeCapabilities));
  object.Set("warnings", toJs(env, result.warnings));
  return object;
}

Napi::Object progressToJs(Napi::Env env, Progress const& progress) {
  auto event = Napi::Object::New(env);
  event.Set("type", "progress");
  event.Set("phase", progress.phase);
  event.Set("parents", toJs(env, progress.parents));
  event.Set("step", progress.step);
  event.Set("steps", progress.steps);
  return event;
}

// A sink that hands progress to the onEvent of `work`.
ProgressSink progressTo(std::shared_ptr<Dispatcher> dispatcher, uint32_t work) {
  return [dispatcher = std::move(dispatcher), work](Progress progress) {
    dispatcher->post([work, progress = std::move(progress)](Napi::Env env) {
      AddonData::of(env).emit(work, progressToJs(env, progress));
    });
  };
}

}  // namespace

Napi::Value build(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    AddonData& data = AddonData::of(env);
    auto job = std::make_shared<BuildJob>();
    auto const request = info[0].As<Napi::Object>();
    job->request = requestOf(request);
    job->log = optionalBool(request, "log").value_or(true);
    job->progress = optionalBool(request, "progress").value_or(true);

    auto deferred = Napi::Promise::Deferred::New(env);
    uint32_t const work = data.remember(info[1].As<Napi::Function>(), [job] { job->cancelled.store(true); });
    uint32_t const call = data.begin(env, {deferred, {}});
    std::shared_ptr<Dispatcher> const dispatcher = data.dispatcher();

    auto const settle = [dispatcher, work, call](std::exception_ptr failure,
                                                 std::shared_ptr<BuildResult> result) {
      dispatcher->post([work, call, failure = std::move(failure), result](Napi::Env env) mutable {
        AddonData& data = AddonData::of(env);
        data.forget(work);
        if (failure != nullptr) {
          data.reject(env, call, std::move(failure));
        } else {
          data.resolve(env, call, [&] { return resultToJs(env, *result); });
        }
      });
    };
    auto const body = [job, dispatcher, work, settle] {
      std::exception_ptr failure;
      std::shared_ptr<BuildResult> result;
      try {
        result = std::make_shared<BuildResult>();
        *result = build(job->request, job->cancelled, job->log ? logTo(dispatcher, work) : nullptr,
                        job->progress ? progressTo(dispatcher, work) : nullptr);
      } catch (...) {
        failure = std::current_exception();
      }
      settle(std::move(failure), std::move(result));
    };
    try {
      startNativeThread(body);
    } catch (...) {
      settle(std::current_exception(), nullptr);
    }

    auto object = Napi::Object::New(env);
    object.Set("handle", makeHandle(env, job));
    object.Set("done", deferred.Promise());
    return object;
  });
}

void cancelBuild(Napi::CallbackInfo const& info) {
  guarded(info.Env(), [&] { fromHandle<BuildJob>(info[0])->cancelled.store(true); });
}

}  // namespace trtnode
