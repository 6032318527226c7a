#pragma once

#include <napi.h>

#include <memory>

#include "binding/engine_pool.h"
#include "binding/handle.h"

namespace trtnode {

// The pool and the slot of a call: throws Error where the slot is not idle.
struct SlotCall {
  SlotCall(std::shared_ptr<EnginePool> const& pool, Napi::Value slotNumber)
      : pool(pool), slot(pool->slot(slotNumber.As<Napi::Number>())) {
    slot.requireIdle();
  }

  // Of a call (handle, slot, …).
  explicit SlotCall(Napi::CallbackInfo const& info) : SlotCall(fromHandle<EnginePool>(info[0]), info[1]) {}

  // As EngineSlot::start, with a share of the slot, which is a part of its pool.
  Napi::Value start(Napi::Env env, EngineSlot::Task task, EngineSlot::Settle settle) const {
    return slot.start(env, std::shared_ptr<Posted>(pool, &slot), task, settle);
  }

  std::shared_ptr<EnginePool> const pool;
  EngineSlot& slot;
};

}  // namespace trtnode
