#include "binding/error_to_js.h"

#include <new>
#include <string>

#include "loader/error.h"

namespace trtnode {
namespace {

Napi::Error make(Napi::Env env, char const* code, std::string const& message, std::string const& hint = {}) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  if (!hint.empty()) error.Set("hint", Napi::String::New(env, hint));
  return error;
}

}  // namespace

Napi::Error errorToJs(Napi::Env env, std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (Error const& error) {
    return make(env, nameOf(error.code()), error.what(), error.hint());
  } catch (std::bad_alloc const&) {
    return make(env, nameOf(ErrorCode::kOutOfMemory), "out of memory");
  } catch (std::exception const& error) {
    return make(env, nameOf(ErrorCode::kInferenceFailed),
                std::string("unexpected native error: ") + error.what());
  } catch (...) {
    return make(env, nameOf(ErrorCode::kInferenceFailed), "unexpected native error");
  }
}

}  // namespace trtnode
