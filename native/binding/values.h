#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/blob.h"
#include "engine/build_request.h"
#include "engine/engine_info.h"
#include "engine/logger.h"

namespace trtnode {

// JavaScript to C++. The TypeScript side has checked the values; what is wrong all the same throws Error
// INVALID_ARGUMENT instead of being taken for something else.
bool has(Napi::Object object, char const* key);
std::string stringOf(Napi::Object object, char const* key);
int32_t intOf(Napi::Object object, char const* key);
std::optional<bool> optionalBool(Napi::Object object, char const* key);
std::optional<int32_t> optionalInt(Napi::Object object, char const* key);
std::optional<std::string> optionalString(Napi::Object object, char const* key);
std::vector<std::string> stringsOf(Napi::Value value, char const* what);
std::vector<int64_t> shapeOf(Napi::Value value, char const* what);
// The bytes of a typed array, to be copied at once: anybody may transfer or free the buffer later.
struct ByteView {
  uint8_t const* data;
  size_t size;
};
ByteView viewOf(Napi::Value value, char const* what);
// The same; nothing where it is no typed array.
std::optional<ByteView> tryViewOf(Napi::Value value);
// Copies of them.
Blob blobOf(Napi::Value value, char const* what);
std::vector<uint8_t> bytesOf(Napi::Value value, char const* what);

// C++ to JavaScript.
Napi::Array toJs(Napi::Env env, std::vector<std::string> const& strings);
Napi::Array toJs(Napi::Env env, std::vector<int64_t> const& shape);
// An ArrayBuffer that takes the bytes over, not copied where JavaScript takes memory from outside.
Napi::ArrayBuffer toJs(Napi::Env env, Blob blob);
Napi::Object toJs(Napi::Env env, Profile const& profile);
Napi::Object toJs(Napi::Env env, TensorFacts const& tensor);
Napi::String toJs(Napi::Env env, LogLevel level);

}  // namespace trtnode
