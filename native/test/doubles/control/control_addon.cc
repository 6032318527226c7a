// A Node addon for tests: reads the doubles' book and plans failures from within the process that is tested.
#include <dlfcn.h>
#include <node_api.h>

#include <string>

#include "../../add_function.h"
#include "../common/ledger.h"

namespace {

napi_value report(napi_env env, napi_callback_info) {
  napi_value text;
  napi_create_string_utf8(env, trtDoubleReport(), NAPI_AUTO_LENGTH, &text);
  return text;
}

/** What libtrt_allocations.so has counted since the last time; -1 where it is not loaded. */
napi_value allocations(napi_env env, napi_callback_info) {
  auto* take = reinterpret_cast<long (*)()>(dlsym(RTLD_DEFAULT, "trtTakeAllocations"));
  napi_value count;
  napi_create_int64(env, take == nullptr ? -1 : take(), &count);
  return count;
}

napi_value fail(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  char plan[4096];
  size_t length = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (napi_get_value_string_utf8(env, argument, plan, sizeof plan, &length) != napi_ok) {
    napi_throw_type_error(env, nullptr, "fail: expected a string");
    return nullptr;
  }
  trtDoubleFail(plan);
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  addFunction(env, exports, "report", report);
  addFunction(env, exports, "fail", fail);
  addFunction(env, exports, "allocations", allocations);
  return exports;
}
