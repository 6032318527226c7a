// For the small addons of tests and benchmarks, which are plain Node-API.
#pragma once

#include <node_api.h>

/** Gives an addon a function. */
inline void addFunction(napi_env env, napi_value exports, char const* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}
