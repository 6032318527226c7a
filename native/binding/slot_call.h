#pragma once

#include <napi.h>

#include <memory>

#include "binding/engine_pool.h"
#include "binding/handle.h"

namespace trtnode {

// The pool and the slot of a call (handle, slot, …): throws Error where the slot is not idle.
struct SlotCall {
  explicit SlotCall(Napi::CallbackInfo const& info)
      : pool(fromHandle<EnginePool>(info[0])), slot(pool->slot(info[1].As<Napi::Number>())) {
    slot.requireIdle();
  }

  // As EngineSlot::start, with a share of the slot, which is a part of its pool.
  Napi::Value start(Napi::Env env, EngineSlot::Task task, EngineSlot::Settle settle) const {
    return slot.start(env, std::shared_ptr<Posted>(pool, &slot), task, settle);
  }

  std::shared_ptr<EnginePool> pool;
  EngineSlot& slot;
};

}  // namespace trtnode
