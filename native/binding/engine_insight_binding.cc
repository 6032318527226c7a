// What a loaded engine tells of itself, and new weights for it: the part of engine_binding.h beside loading
// and running.
#include <memory>
#include <utility>
#include <vector>

#include "binding/engine_binding.h"
#include "binding/error_to_js.h"
#include "binding/slot_call.h"
#include "binding/values.h"

namespace trtnode {

Napi::Value memory(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    GpuMemory const& gpu = *fromHandle<EnginePool>(info[0])->slot(0).gpu();
    auto bytes = Napi::Array::New(env, 2);
    bytes.Set(0U, static_cast<double>(gpu.pinnedBytes));
    bytes.Set(1U, static_cast<double>(gpu.deviceBytes));
    return bytes;
  });
}

Napi::Value graphs(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    GraphCounts const& counts = *fromHandle<EnginePool>(info[0])->slot(0).graphs();
    auto values = Napi::Array::New(env, 4);
    values.Set(0U, static_cast<double>(counts.captured));
    values.Set(1U, static_cast<double>(counts.launched));
    values.Set(2U, static_cast<double>(counts.dropped));
    values.Set(3U, counts.fallback());
    return values;
  });
}

Napi::Value profile(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    std::shared_ptr<LayerTimes> const layers = fromHandle<EnginePool>(info[0])->slot(0).layerTimes();
    std::vector<LayerTime> const times = layers == nullptr ? std::vector<LayerTime>() : layers->times();
    auto array = Napi::Array::New(env, times.size());
    for (uint32_t index = 0; index < times.size(); ++index) {
      LayerTime const& time = times[index];
      auto entry = Napi::Array::New(env, 5);
      entry.Set(0U, time.name);
      entry.Set(1U, static_cast<double>(time.runs));
      entry.Set(2U, time.total);
      entry.Set(3U, time.shortest);
      entry.Set(4U, time.longest);
      array.Set(index, entry);
    }
    return array;
  });
}

Napi::Value layers(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    SlotCall const call(info);
    auto const describe = [](EngineSlot& slot, ContextRunner& runner) {
      slot.text = runner.engine().describeLayers();
    };
    auto const give = [](Napi::Env env, EngineSlot& slot) -> Napi::Value {
      return Napi::String::New(env, std::exchange(slot.text, {}));
    };
    return call.start(env, describe, give);
  });
}

Napi::Value refit(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    SlotCall const call(info);
    auto const flat = info[2].As<Napi::Array>();
    call.slot.weights.clear();
    for (uint32_t index = 0; index + 2 < flat.Length(); index += 3) {
      call.slot.weights.push_back(
          {flat.Get(index).ToString(), flat.Get(index + 1).ToString(), blobOf(flat.Get(index + 2), "data")});
    }
    auto const task = [](EngineSlot& slot, ContextRunner& runner) {
      std::vector<NamedWeights> const weights = std::exchange(slot.weights, {});
      runner.engine().refit(weights);
    };
    auto const give = [](Napi::Env env, EngineSlot&) -> Napi::Value { return env.Undefined(); };
    return call.start(env, task, give);
  });
}

}  // namespace trtnode
