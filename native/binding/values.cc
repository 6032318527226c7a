#include "binding/values.h"

#include <cstring>

#include "loader/error.h"

namespace trtnode {
namespace {

Error expected(std::string const& what, char const* type) {
  return {ErrorCode::kInvalidArgument, what + ": expected " + type};
}

// 0 for a type that this was not compiled with.
size_t elementBytes(napi_typedarray_type type) noexcept {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 0;
  }
}

}  // namespace

std::optional<ByteView> tryViewOf(Napi::Value value) {
  napi_typedarray_type type{};
  size_t length = 0;
  void* data = nullptr;
  // Not by way of its ArrayBuffer, which a SharedArrayBuffer is not.
  napi_status const status =
      napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || elementBytes(type) == 0) return std::nullopt;
  return ByteView{static_cast<uint8_t const*>(data), length * elementBytes(type)};
}

ByteView viewOf(Napi::Value value, char const* what) {
  std::optional<ByteView> const view = tryViewOf(value);
  if (!view.has_value()) throw expected(what, "a typed array");
  return *view;
}

bool has(Napi::Object object, char const* key) {
  return !object.Get(key).IsUndefined();
}

std::string stringOf(Napi::Object object, char const* key) {
  Napi::Value const value = object.Get(key);
  if (!value.IsString()) throw expected(key, "a string");
  return value.As<Napi::String>().Utf8Value();
}

int32_t intOf(Napi::Object object, char const* key) {
  Napi::Value const value = object.Get(key);
  if (!value.IsNumber()) throw expected(key, "a number");
  return value.As<Napi::Number>().Int32Value();
}

std::optional<bool> optionalBool(Napi::Object object, char const* key) {
  if (!has(object, key)) return std::nullopt;
  Napi::Value const value = object.Get(key);
  if (!value.IsBoolean()) throw expected(key, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

std::optional<int32_t> optionalInt(Napi::Object object, char const* key) {
  if (!has(object, key)) return std::nullopt;
  return intOf(object, key);
}

std::optional<std::string> optionalString(Napi::Object object, char const* key) {
  if (!has(object, key)) return std::nullopt;
  return stringOf(object, key);
}

std::vector<std::string> stringsOf(Napi::Value value, char const* what) {
  if (!value.IsArray()) throw expected(what, "an array of strings");
  auto const array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (uint32_t index = 0; index < array.Length(); ++index) {
    Napi::Value const element = array.Get(index);
    if (!element.IsString()) throw expected(what, "an array of strings");
    strings.push_back(element.As<Napi::String>().Utf8Value());
  }
  return strings;
}

std::vector<int64_t> shapeOf(Napi::Value value, char const* what) {
  if (!value.IsArray()) throw expected(what, "an array of integers");
  auto const array = value.As<Napi::Array>();
  std::vector<int64_t> shape;
  for (uint32_t index = 0; index < array.Length(); ++index) {
    Napi::Value const element = array.Get(index);
    if (!element.IsNumber()) throw expected(what, "an array of integers");
    shape.push_back(element.As<Napi::Number>().Int64Value());
  }
  return shape;
}

Blob blobOf(Napi::Value value, char const* what) {
  ByteView const bytes = viewOf(value, what);
  Blob blob(bytes.size);
  if (bytes.size > 0) std::memcpy(blob.data.get(), bytes.data, bytes.size);
  return blob;
}

std::vector<uint8_t> bytesOf(Napi::Value value, char const* what) {
  ByteView const bytes = viewOf(value, what);
  return {bytes.data, bytes.data + bytes.size};
}

Napi::Array toJs(Napi::Env env, std::vector<std::string> const& strings) {
  auto array = Napi::Array::New(env, strings.size());
  for (uint32_t index = 0; index < strings.size(); ++index) array.Set(index, strings[index]);
  return array;
}

Napi::Array toJs(Napi::Env env, std::vector<int64_t> const& shape) {
  auto array = Napi::Array::New(env, shape.size());
  for (uint32_t index = 0; index < shape.size(); ++index) {
    array.Set(index, Napi::Number::New(env, static_cast<double>(shape[index])));
  }
  return array;
}

Napi::ArrayBuffer toJs(Napi::Env env, Blob blob) {
  if (blob.size == 0) return Napi::ArrayBuffer::New(env, 0);
  napi_value external = nullptr;
  auto const release = [](napi_env, void* data, void*) { delete[] static_cast<uint8_t*>(data); };
  if (napi_create_external_arraybuffer(env, blob.data.get(), blob.size, release, nullptr, &external) ==
      napi_ok) {
    blob.data.release();
    return {env, external};
  }
  // V8's sandbox, which Electron turns on, takes no memory from outside.
  auto copy = Napi::ArrayBuffer::New(env, blob.size);
  std::memcpy(copy.Data(), blob.data.get(), blob.size);
  return copy;
}

Napi::Object toJs(Napi::Env env, Profile const& profile) {
  auto object = Napi::Object::New(env);
  for (auto const& [name, range] : profile) {
    auto shapes = Napi::Object::New(env);
    shapes.Set("min", toJs(env, range.min));
    shapes.Set("opt", toJs(env, range.opt));
    shapes.Set("max", toJs(env, range.max));
    object.Set(name, shapes);
  }
  return object;
}

Napi::Object toJs(Napi::Env env, TensorFacts const& tensor) {
  auto object = Napi::Object::New(env);
  object.Set("name", tensor.name);
  object.Set("type", tensor.type);
  object.Set("shape", toJs(env, tensor.shape));
  return object;
}

Napi::String toJs(Napi::Env env, LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return Napi::String::New(env, "error");
    case LogLevel::kWarning:
      return Napi::String::New(env, "warn");
    case LogLevel::kInfo:
      return Napi::String::New(env, "info");
    case LogLevel::kDebug:
      return Napi::String::New(env, "debug");
  }
  return Napi::String::New(env, "debug");
}

}  // namespace trtnode
