#include "binding/engine_binding.h"

#include <cstring>
#include <memory>
#include <new>
#include <optional>
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

// The memory of the exchanges of all slots, which stays until `work`, the engine, is down.
Napi::ArrayBuffer exchangesOf(Napi::Env env, EngineInfo const& info, EnginePool& pool, uint32_t work) {
  size_t const length = Exchange::lengthFor(info.inputs.size(), info.outputs.size());
  auto memory = Napi::ArrayBuffer::New(env, pool.slotCount() * length * sizeof(double));
  auto* const numbers = static_cast<double*>(memory.Data());
  for (size_t index = 0; index < pool.slotCount(); ++index) {
    pool.slot(static_cast<int32_t>(index)).exchange() =
        Exchange(numbers + index * length, info.inputs.size());
  }
  AddonData::of(env).keep(work, memory);
  return memory;
}

Napi::Object engineToJs(Napi::Env env, EngineInfo const& info, std::shared_ptr<EnginePool> pool,
                        uint32_t work) {
  auto object = Napi::Object::New(env);
  object.Set("exchange", exchangesOf(env, info, *pool, work));
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

// Which of the outputs are wanted.
void takeWanted(EngineSlot& slot) {
  std::vector<uint8_t>& flags = slot.call().wanted;
  for (size_t index = 0; index < flags.size(); ++index)
    flags[index] = slot.exchange().isWanted(index) ? 1 : 0;
}

// Copies the inputs to pinned memory. `feeds` has their data in the engine's order.
void takeFeeds(Napi::Array feeds, EngineSlot& slot) {
  std::vector<TensorFacts> const& inputs = slot.info().inputs;
  if (feeds.Length() != inputs.size())
    throw Error(ErrorCode::kInvalidInput, "expected a feed for each input");
  for (uint32_t index = 0; index < inputs.size(); ++index) {
    nvinfer1::Dims const dims = slot.exchange().inputShape(index);
    slot.call().inputShapes[index] = dims;
    Napi::Value const feed = feeds.Get(index);
    std::optional<ByteView> const data = tryViewOf(feed);
    if (!data.has_value()) {
      takeDeviceFeed(feed, inputs[index], dims, slot.call().deviceInputs[index]);
      continue;
    }
    size_t const bytes = bytesOf(dims, inputs[index].elementBytes);
    PinnedBuffer const& to = slot.host().inputs[index];
    if (data->size != bytes || bytes > to.capacity()) {
      throw Error(ErrorCode::kInvalidInput, "input \"" + inputs[index].name + "\": expected " +
                                                std::to_string(bytes) + " bytes, no more than " +
                                                std::to_string(to.capacity()) + ", received " +
                                                std::to_string(data->size));
    }
    if (bytes > 0) std::memcpy(to.data(), data->data, bytes);
  }
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

Napi::Value copyToJs(Napi::Env env, void const* from, size_t bytes) {
  void* to = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env, bytes, &to, &buffer) != napi_ok) throw std::bad_alloc();
  if (bytes > 0) std::memcpy(to, from, bytes);
  return {env, buffer};
}

// The data of the wanted outputs, each at its place in the engine's order.
Napi::Value resultsToJs(Napi::Env env, EngineSlot& slot) {
  Call const& call = slot.call();
  slot.exchange().tellTimes(call.times);
  auto results = Napi::Array::New(env, call.wanted.size());
  for (uint32_t index = 0; index < call.wanted.size(); ++index) {
    if (call.wanted[index] == 0) continue;
    slot.exchange().tellOutput(index, call.outputShapes[index]);
    if (call.toDevice) {
      results.Set(index, makeHandle<DeviceTensor>(
                             env, std::make_shared<DeviceTensor>(DeviceTensor{call.deviceOutputs[index]})));
    } else if (slot.large()[index].data != nullptr) {
      results.Set(index, toJs(env, std::move(slot.large()[index])));
    } else {
      results.Set(index, copyToJs(env, call.host->outputs[index].data(), outputBytes(slot, call, index)));
    }
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

// What the functions of a binding know, of which JavaScript has no handle that it could mix up with others.
struct Binding {
  std::shared_ptr<EnginePool> pool;
  std::shared_ptr<BoundMemory> memory;  // null once it is closed
};

// A call of one of them, (slot, …), of a binding that is open and idle.
struct BoundCall : SlotCall {
  BoundCall(Binding const& binding, Napi::Value slotNumber) : SlotCall(binding.pool, slotNumber) {
    if (binding.memory == nullptr) throw Error(ErrorCode::kClosed, "the binding was closed");
    if (binding.memory->running) throw Error(ErrorCode::kInvalidArgument, "the binding is running already");
    slot.bound = binding.memory;
  }
};

void runBoundTask(EngineSlot& slot, ContextRunner& runner) {
  runner.run(slot.bound->call());
}

Napi::Value tellBoundTimes(Napi::Env env, EngineSlot& slot) {
  slot.exchange().tellTimes(slot.bound->call().times);
  return env.Undefined();
}

Napi::Value runBinding(Napi::CallbackInfo const& info, Binding const& binding) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    BoundCall const call(binding, info[0]);
    Napi::Value const promise = call.start(env, runBoundTask, tellBoundTimes);
    binding.memory->running = true;
    return promise;
  });
}

Napi::Value runBindingSync(Napi::CallbackInfo const& info, Binding const& binding) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    BoundCall const call(binding, info[0]);
    try {
      call.slot.runSync(runBoundTask);
    } catch (...) {
      call.slot.bound = nullptr;
      throw;
    }
    call.slot.exchange().tellTimes(call.slot.bound->call().times);
    call.slot.bound = nullptr;
    return {};
  });
}

Napi::Value closeBinding(Napi::CallbackInfo const& info, Binding& binding) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    if (binding.memory != nullptr && binding.memory->running) {
      throw Error(ErrorCode::kInvalidArgument, "the binding is running");
    }
    binding.memory = nullptr;
    auto const buffers = info[0].As<Napi::Array>();
    for (uint32_t index = 0; index < buffers.Length(); ++index) {
      napi_detach_arraybuffer(env, buffers.Get(index));
    }
    return {};
  });
}

// { inputs: [buffer, …], outputs: [buffer, …], run(slot), runSync(slot), close(buffers) }
Napi::Value bindingToJs(Napi::Env env, EngineSlot& slot) {
  std::shared_ptr<BoundMemory> const memory = slot.bound;
  Call const& call = memory->call();
  auto inputs = Napi::Array::New(env, call.inputShapes.size());
  auto outputs = Napi::Array::New(env, call.outputShapes.size());
  for (uint32_t index = 0; index < call.inputShapes.size(); ++index) {
    size_t const bytes = bytesOf(call.inputShapes[index], slot.info().inputs[index].elementBytes);
    inputs.Set(index, pinnedToJs(env, memory->host().inputs[index], bytes, memory));
  }
  for (uint32_t index = 0; index < call.outputShapes.size(); ++index) {
    slot.exchange().tellOutput(index, call.outputShapes[index]);
    outputs.Set(index,
                pinnedToJs(env, memory->host().outputs[index], outputBytes(slot, call, index), memory));
  }
  auto const binding = std::make_shared<Binding>(Binding{memory->pool(), memory});
  auto const method = [&](char const* name, auto function) {
    return Napi::Function::New(
        env, [binding, function](Napi::CallbackInfo const& info) { return function(info, *binding); }, name);
  };
  auto object = Napi::Object::New(env);
  object.Set("inputs", inputs);
  object.Set("outputs", outputs);
  object.Set("run", method("run", runBinding));
  object.Set("runSync", method("runSync", runBindingSync));
  object.Set("close", method("close", closeBinding));
  return object;
}

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

    auto const loaded = [dispatcher, pool, call, work](std::shared_ptr<LoadedEngine> const& engine,
                                                       std::exception_ptr failure) {
      if (engine == nullptr) {
        dispatcher->post([call, failure = std::move(failure)](Napi::Env env) mutable {
          AddonData::of(env).reject(env, call, std::move(failure));
        });
        return;
      }
      dispatcher->post([info = engine->info(), pool, call, work](Napi::Env env) {
        AddonData::of(env).resolve(env, call, [&] { return engineToJs(env, info, pool, work); });
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
    slot.call().toDevice = info[4].ToBoolean();
    slot.call().releaseDeviceMemory();  // of a call that was refused halfway
    takeFeeds(info[3].As<Napi::Array>(), slot);
    takeWanted(slot);
    return call.start(env, inferTask, resultsToJs);
  });
}

Napi::Value createBinding(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    SlotCall const call(info);
    EngineSlot& slot = call.slot;
    slot.bound = std::make_shared<BoundMemory>(call.pool, slot.gpu(), slot.info().inputs.size(),
                                               slot.info().outputs.size());
    Call& bound = slot.bound->call();
    bound.profile = info[2].As<Napi::Number>();
    for (uint32_t index = 0; index < bound.inputShapes.size(); ++index) {
      bound.inputShapes[index] = slot.exchange().inputShape(index);
    }
    return call.start(env, bindTask, bindingToJs);
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
