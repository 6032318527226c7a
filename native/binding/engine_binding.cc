#include "binding/engine_binding.h"

#include <cstring>
#include <memory>
#include <utility>

#include "binding/addon_data.h"
#include "binding/bound_memory.h"
#include "binding/device_tensor_binding.h"
#include "binding/error_to_js.h"
#include "binding/handle.h"
#include "binding/log_events.h"
#include "binding/slot_call.h"
#include "binding/values.h"
#include "engine/dims.h"
#include "loader/error.h"

namespace trtnode {
namespace {

// Outputs beyond this are copied out of pinned memory by the slot's thread, into memory of their own, and not
// by the JavaScript thread: 256 KiB take it some 20 microseconds. Below, memory of their own would cost more
// than the copy.
constexpr size_t kMostBytesOnLoop = 256 * 1024;

template <class T>
Napi::Array arrayToJs(Napi::Env env, std::vector<T> const& values) {
  auto array = Napi::Array::New(env, values.size());
  for (uint32_t index = 0; index < values.size(); ++index) array.Set(index, toJs(env, values[index]));
  return array;
}

Napi::Object engineToJs(Napi::Env env, EngineInfo const& info, std::shared_ptr<EnginePool> pool) {
  auto object = Napi::Object::New(env);
  // close() is the way to end an engine; its handle being collected is the net.
  object.Set("handle",
             makeHandle<EnginePool>(env, std::move(pool), [](EnginePool& collected) { collected.stop(); }));
  object.Set("inputs", arrayToJs(env, info.inputs));
  object.Set("outputs", arrayToJs(env, info.outputs));
  object.Set("profiles", arrayToJs(env, info.profiles));
  object.Set("version", info.version);
  object.Set("activationBytes", static_cast<double>(info.activationBytes));
  if (info.streamableBytes >= 0) {
    object.Set("streamableBytes", static_cast<double>(info.streamableBytes));
    object.Set("streamingBudget", static_cast<double>(info.streamingBudget));
  }
  if (info.weightsBytes >= 0) object.Set("weightsBytes", static_cast<double>(info.weightsBytes));
  return object;
}

nvinfer1::Dims dimsOf(Napi::Value value) {
  if (!value.IsArray()) throw Error(ErrorCode::kInvalidInput, "dims: expected an array of integers");
  auto const array = value.As<Napi::Array>();
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<int32_t>(array.Length());
  if (dims.nbDims > nvinfer1::Dims::MAX_DIMS) {
    throw Error(ErrorCode::kInvalidInput, "dims: expected at most 8 dimensions");
  }
  for (int32_t axis = 0; axis < dims.nbDims; ++axis) {
    dims.d[axis] = array.Get(static_cast<uint32_t>(axis)).As<Napi::Number>().Int64Value();
  }
  return dims;
}

LoadRequest loadRequestOf(Napi::Object object) {
  LoadRequest request;
  request.nvinfer = stringOf(object, "nvinfer");
  request.device = intOf(object, "device");
  if (has(object, "plugins")) request.plugins = stringsOf(object.Get("plugins"), "plugins");
  request.contexts = intOf(object, "contexts");
  request.allowHostCode = optionalBool(object, "allowHostCode").value_or(false);
  request.profile = optionalBool(object, "profile").value_or(false);
  if (has(object, "weightStreamingBudget")) {
    request.streamingBudget = object.Get("weightStreamingBudget").As<Napi::Number>().Int64Value();
  }
  request.mostGraphs = static_cast<size_t>(intOf(object, "cudaGraphs"));
  if (has(object, "path")) {
    request.path = stringOf(object, "path");
  } else {
    request.bytes = bytesOf(object.Get("bytes"), "bytes");
  }
  return request;
}

// Takes a tensor that is on the device already.
void takeDeviceFeed(Napi::Value handle, TensorFacts const& input, nvinfer1::Dims const& dims,
                    std::shared_ptr<DeviceMemory>& to) {
  std::shared_ptr<DeviceMemory> memory = fromHandle<DeviceTensor>(handle)->memory;
  if (memory->bytes() != bytesOf(dims, input.elementBytes)) {
    throw Error(ErrorCode::kInvalidInput, "input \"" + input.name + "\": expected " +
                                              std::to_string(bytesOf(dims, input.elementBytes)) +
                                              " bytes, received " + std::to_string(memory->bytes()));
  }
  to = std::move(memory);
}

// Copies the inputs to pinned memory: `feeds` is [dims, data, dims, data, …] in the engine's order.
void takeFeeds(Napi::Array feeds, EngineSlot& slot) {
  std::vector<TensorFacts> const& inputs = slot.info().inputs;
  if (feeds.Length() != 2 * inputs.size())
    throw Error(ErrorCode::kInvalidInput, "expected a feed for each input");
  for (uint32_t index = 0; index < inputs.size(); ++index) {
    nvinfer1::Dims const dims = dimsOf(feeds.Get(2 * index));
    slot.call().inputShapes[index] = dims;
    if (feeds.Get(2 * index + 1).IsExternal()) {
      takeDeviceFeed(feeds.Get(2 * index + 1), inputs[index], dims, slot.call().deviceInputs[index]);
      continue;
    }
    ByteView const data = viewOf(feeds.Get(2 * index + 1), "data");
    size_t const bytes = bytesOf(dims, inputs[index].elementBytes);
    PinnedBuffer const& to = slot.host().inputs[index];
    if (data.size != bytes || bytes > to.capacity()) {
      throw Error(ErrorCode::kInvalidInput, "input \"" + inputs[index].name + "\": expected " +
                                                std::to_string(bytes) + " bytes, no more than " +
                                                std::to_string(to.capacity()) + ", received " +
                                                std::to_string(data.size));
    }
    if (bytes > 0) std::memcpy(to.data(), data.data, bytes);
  }
}

// Which of the outputs are wanted: an array of booleans in the engine's order.
void takeWanted(Napi::Array wanted, EngineSlot& slot) {
  std::vector<uint8_t>& flags = slot.call().wanted;
  for (uint32_t index = 0; index < flags.size(); ++index)
    flags[index] = wanted.Get(index).ToBoolean() ? 1 : 0;
}

size_t outputBytes(EngineSlot& slot, Call const& call, size_t index) {
  return bytesOf(call.outputShapes[index], slot.info().outputs[index].elementBytes);
}

void inferTask(EngineSlot& slot, ContextRunner& runner) {
  Call& call = slot.call();
  runner.run(call);
  for (size_t index = 0; index < call.wanted.size(); ++index) {
    size_t const bytes = outputBytes(slot, call, index);
    if (call.toDevice || call.wanted[index] == 0 || bytes <= kMostBytesOnLoop) continue;
    slot.large()[index] = Blob(bytes);
    std::memcpy(slot.large()[index].data.get(), call.host->outputs[index].data(), bytes);
  }
}

Napi::Array timesToJs(Napi::Env env, StageTimes const& times) {
  auto array = Napi::Array::New(env, 4);
  array.Set(0U, times.hostToDevice);
  array.Set(1U, times.compute);
  array.Set(2U, times.deviceToHost);
  array.Set(3U, times.enqueue);
  return array;
}

// [times, dims, data, dims, data, …] of the wanted outputs, in the engine's order.
Napi::Value resultsToJs(Napi::Env env, EngineSlot& slot) {
  Call const& call = slot.call();
  auto results = Napi::Array::New(env);
  uint32_t next = 0;
  results.Set(next++, timesToJs(env, call.times));
  for (size_t index = 0; index < call.wanted.size(); ++index) {
    if (call.wanted[index] == 0) continue;
    results.Set(next++, toJs(env, call.outputShapes[index]));
    if (call.toDevice) {
      results.Set(next++, makeHandle<DeviceTensor>(
                              env, std::make_shared<DeviceTensor>(DeviceTensor{call.deviceOutputs[index]})));
      continue;
    }
    if (slot.large()[index].data != nullptr) {
      results.Set(next++, toJs(env, std::move(slot.large()[index])));
      continue;
    }
    size_t const bytes = outputBytes(slot, call, index);
    auto buffer = Napi::ArrayBuffer::New(env, bytes);
    if (bytes > 0) std::memcpy(buffer.Data(), call.host->outputs[index].data(), bytes);
    results.Set(next++, buffer);
  }
  return results;
}

void bindTask(EngineSlot& slot, ContextRunner& runner) {
  BoundMemory& bound = *slot.bound;
  runner.shapeOutputs(bound.call());
  bound.reserve(slot.info());
}

Napi::Value pinnedToJs(Napi::Env env, PinnedBuffer const& buffer, size_t bytes,
                       std::shared_ptr<BoundMemory> const& bound) {
  auto share = std::make_unique<std::shared_ptr<BoundMemory>>(bound);
  napi_value external = nullptr;
  auto const release = [](napi_env, void*, void* hint) {
    delete static_cast<std::shared_ptr<BoundMemory>*>(hint);
  };
  if (napi_create_external_arraybuffer(env, buffer.data(), bytes, release, share.get(), &external) !=
      napi_ok) {
    throw Error(ErrorCode::kUnsupported,
                "this JavaScript takes no memory from outside, which bindings are made of",
                "use engine.infer");
  }
  share.release();
  return {env, external};
}

// { handle, inputs: [buffer, …], outputs: [dims, buffer, dims, buffer, …] }
Napi::Value bindingToJs(Napi::Env env, EngineSlot& slot) {
  std::shared_ptr<BoundMemory> const bound = slot.bound;
  Call const& call = bound->call();
  auto inputs = Napi::Array::New(env);
  auto outputs = Napi::Array::New(env);
  for (uint32_t index = 0; index < call.inputShapes.size(); ++index) {
    size_t const bytes = bytesOf(call.inputShapes[index], slot.info().inputs[index].elementBytes);
    inputs.Set(index, pinnedToJs(env, bound->host().inputs[index], bytes, bound));
  }
  for (uint32_t index = 0; index < call.outputShapes.size(); ++index) {
    outputs.Set(2 * index, toJs(env, call.outputShapes[index]));
    outputs.Set(2 * index + 1,
                pinnedToJs(env, bound->host().outputs[index], outputBytes(slot, call, index), bound));
  }
  auto object = Napi::Object::New(env);
  object.Set("handle", makeHandle<BoundMemory>(env, bound));
  object.Set("inputs", inputs);
  object.Set("outputs", outputs);
  return object;
}

void runBoundTask(EngineSlot& slot, ContextRunner& runner) {
  runner.run(slot.bound->call());
}

Napi::Value boundTimesToJs(Napi::Env env, EngineSlot& slot) {
  return timesToJs(env, slot.bound->call().times);
}

// The binding of (handle, slot, binding), too, which has to be of the same engine, and idle.
struct BoundCall : SlotCall {
  explicit BoundCall(Napi::CallbackInfo const& info)
      : SlotCall(info), bound(fromHandle<BoundMemory>(info[2])) {
    if (!bound->isOf(pool)) throw Error(ErrorCode::kInvalidArgument, "the binding is of another engine");
    if (bound->running) throw Error(ErrorCode::kInvalidArgument, "the binding is running already");
  }

  std::shared_ptr<BoundMemory> bound;
};

}  // namespace

Napi::Value load(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    AddonData& data = AddonData::of(env);
    LoadRequest request = loadRequestOf(info[0].As<Napi::Object>());
    auto const pool = std::make_shared<EnginePool>(data.dispatcher());
    auto deferred = Napi::Promise::Deferred::New(env);
    uint32_t const work = data.remember(info[1].As<Napi::Function>(), [pool] { pool->stop(); });
    uint32_t const call = data.begin(env, {deferred, {}});
    std::shared_ptr<Dispatcher> const dispatcher = data.dispatcher();

    auto const loaded = [dispatcher, pool, call](std::shared_ptr<LoadedEngine> const& engine,
                                                 std::exception_ptr failure) {
      if (engine == nullptr) {
        dispatcher->post([call, failure = std::move(failure)](Napi::Env env) mutable {
          AddonData::of(env).reject(env, call, std::move(failure));
        });
        return;
      }
      dispatcher->post([info = engine->info(), pool, call](Napi::Env env) {
        AddonData::of(env).resolve(env, call, [&] { return engineToJs(env, info, pool); });
      });
    };
    pool->whenDown(
        [dispatcher, work] { dispatcher->post([work](Napi::Env env) { AddonData::of(env).forget(work); }); });
    try {
      pool->start(std::move(request), logTo(dispatcher, work), loaded);
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
    SlotCall const call(info);
    EngineSlot& slot = call.slot;
    slot.call().profile = info[2].As<Napi::Number>();
    slot.call().toDevice = info[5].ToBoolean();
    slot.call().releaseDeviceMemory();  // of a call that was refused halfway
    takeFeeds(info[3].As<Napi::Array>(), slot);
    takeWanted(info[4].As<Napi::Array>(), slot);
    return call.start(env, inferTask, resultsToJs);
  });
}

Napi::Value createBinding(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    SlotCall const call(info);
    EngineSlot& slot = call.slot;
    auto const shapes = info[3].As<Napi::Array>();
    slot.bound = std::make_shared<BoundMemory>(call.pool, slot.gpu(), slot.info().inputs.size(),
                                               slot.info().outputs.size());
    Call& bound = slot.bound->call();
    bound.profile = info[2].As<Napi::Number>();
    for (uint32_t index = 0; index < bound.inputShapes.size(); ++index) {
      bound.inputShapes[index] = dimsOf(shapes.Get(index));
    }
    return call.start(env, bindTask, bindingToJs);
  });
}

Napi::Value runBinding(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    BoundCall call(info);
    call.slot.bound = call.bound;
    Napi::Value const promise = call.start(env, runBoundTask, boundTimesToJs);
    call.bound->running = true;
    return promise;
  });
}

Napi::Value runBindingSync(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    BoundCall call(info);
    call.slot.bound = call.bound;
    try {
      call.slot.runSync(runBoundTask);
    } catch (...) {
      call.slot.bound = nullptr;
      throw;
    }
    Napi::Value const times = boundTimesToJs(env, call.slot);
    call.slot.bound = nullptr;
    return times;
  });
}

Napi::Value closeBinding(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    if (fromHandle<BoundMemory>(info[0])->running) {
      throw Error(ErrorCode::kInvalidArgument, "the binding is running");
    }
    shareOf<BoundMemory>(info[0]) = nullptr;
    auto const buffers = info[1].As<Napi::Array>();
    for (uint32_t index = 0; index < buffers.Length(); ++index) {
      napi_detach_arraybuffer(env, buffers.Get(index));
    }
    return env.Undefined();
  });
}

Napi::Value close(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    AddonData& data = AddonData::of(env);
    std::shared_ptr<EnginePool> const pool = fromHandle<EnginePool>(info[0]);
    auto deferred = Napi::Promise::Deferred::New(env);
    uint32_t const call = data.begin(env, {deferred, {}});
    pool->whenDown([dispatcher = data.dispatcher(), call] {
      dispatcher->post(
          [call](Napi::Env env) { AddonData::of(env).resolve(env, call, [&] { return env.Undefined(); }); });
    });
    pool->stop();
    return deferred.Promise();
  });
}

}  // namespace trtnode
