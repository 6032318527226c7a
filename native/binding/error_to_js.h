#pragma once

#include <napi.h>

#include <exception>

namespace trtnode {

// The one place that makes JavaScript errors: an Error with `code` (a TrtErrorCode), `message` and, where
// there is one, `hint`. src/backends/tensorrt/addon.ts turns it into a TrtError.
Napi::Error errorToJs(Napi::Env env, std::exception_ptr failure);

// Runs `function` for a call from JavaScript, so that no C++ exception but Napi::Error leaves it.
template <class Function>
auto guarded(Napi::Env env, Function&& function) -> decltype(function()) {
  try {
    return function();
  } catch (Napi::Error const&) {
    throw;
  } catch (...) {
    throw errorToJs(env, std::current_exception());
  }
}

}  // namespace trtnode
