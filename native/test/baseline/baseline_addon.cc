// A Node addon for bench/runner.mjs: what Node-API itself costs, beside which the addon's own cost is
// measured.
#include <node_api.h>

#include <chrono>
#include <memory>
#include <thread>

#include "../add_function.h"

namespace {

/** empty(): undefined. */
napi_value empty(napi_env, napi_callback_info) {
  return nullptr;
}

struct Work {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  std::chrono::milliseconds duration{0};
};

void execute(napi_env, void* data) {
  auto const& work = *static_cast<Work*>(data);
  if (work.duration.count() > 0) std::this_thread::sleep_for(work.duration);
}

void complete(napi_env env, napi_status, void* data) {
  std::unique_ptr<Work> const work(static_cast<Work*>(data));
  napi_value undefined = nullptr;
  napi_get_undefined(env, &undefined);
  napi_resolve_deferred(env, work->deferred, undefined);
  napi_delete_async_work(env, work->work);
}

/** asyncWork(ms): a promise of work that holds a thread of libuv's pool for so long, and computes nothing. */
napi_value asyncWork(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  napi_value name = nullptr;
  napi_value promise = nullptr;
  int64_t milliseconds = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int64(env, argument, &milliseconds);
  auto work = std::make_unique<Work>();
  work->duration = std::chrono::milliseconds(milliseconds);
  napi_create_promise(env, &work->deferred, &promise);
  napi_create_string_utf8(env, "baseline", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, nullptr, name, execute, complete, work.get(), &work->work);
  napi_queue_async_work(env, work->work);
  work.release();  // complete's
  return promise;
}

}  // namespace

NAPI_MODULE_INIT() {
  addFunction(env, exports, "empty", empty);
  addFunction(env, exports, "asyncWork", asyncWork);
  return exports;
}
