#include "binding/addon_data.h"

#include <utility>

#include "binding/error_to_js.h"
#include "binding/native_thread.h"

namespace trtnode {

AddonData::~AddonData() {
  for (auto const& [id, work] : works_) work.stop();
  leaveBeforeTensorrt();
}

uint32_t AddonData::begin(Napi::Env env, Call call) {
  uint32_t const id = nextId_++;
  calls_.emplace(id, std::move(call));
  dispatcher_->hold(env);
  return id;
}

void AddonData::resolveWith(Napi::Env env, uint32_t id, Napi::Value value) {
  auto const node = calls_.extract(id);
  dispatcher_->release(env);
  node.mapped().deferred.Resolve(value);
}

void AddonData::reject(Napi::Env env, uint32_t id, std::exception_ptr failure) {
  auto const node = calls_.extract(id);
  dispatcher_->release(env);
  node.mapped().deferred.Reject(errorToJs(env, std::move(failure)).Value());
}

uint32_t AddonData::remember(Napi::Function onEvent, std::function<void()> stop) {
  uint32_t const id = nextId_++;
  works_.emplace(id, Work{Napi::Persistent(onEvent), std::move(stop), {}});
  return id;
}

void AddonData::keep(uint32_t id, Napi::ArrayBuffer memory) {
  works_.at(id).memory = Napi::Persistent(memory);
}

void AddonData::emit(uint32_t id, Napi::Object event) {
  auto const found = works_.find(id);
  if (found != works_.end()) found->second.onEvent.Call({event});
}

}  // namespace trtnode
