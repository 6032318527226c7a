// What the generated stubs are made of: a note of every setter's call, and a loud end for calls the double
// cannot serve.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "../common/json.h"

namespace trt_double {

[[noreturn]] inline void unserved(char const* function) {
  std::fprintf(stderr, "TRT_DOUBLE: the TensorRT stand-in does not serve %s\n", function);
  std::abort();
}

/** What a setter returns that took what it was told. */
template <typename T>
T success() {
  if constexpr (std::is_same_v<T, bool>)
    return true;
  else
    return T{};
}

template <typename T, typename = std::enable_if_t<std::is_enum_v<T>>>
Json toJson(T value) {
  char const* name = enumName(value);
  return name ? Json(name) : Json(static_cast<int64_t>(value));
}
inline Json toJson(bool value) {
  return value;
}
inline Json toJson(int32_t value) {
  return value;
}
inline Json toJson(uint32_t value) {
  return value;
}
inline Json toJson(int64_t value) {
  return value;
}
inline Json toJson(uint64_t value) {
  return value;
}
inline Json toJson(float value) {
  return static_cast<double>(value);
}
inline Json toJson(char const* value) {
  return value;
}
inline Json toJson(nvinfer1::Dims const& dims) {
  return Json::integers(std::vector<int64_t>(dims.d, dims.d + (dims.nbDims > 0 ? dims.nbDims : 0)));
}
/** An object: only whether there is one. */
template <typename T>
Json toJson(T* pointer) {
  return pointer != nullptr;
}
template <typename T, typename = std::enable_if_t<std::is_class_v<T>>, typename = void>
Json toJson(T const&) {
  return true;
}

template <typename Enum>
Json flagsToJson(uint32_t bits) {
  Json names = Json::array();
  for (int32_t bit = 0; bit < 32; ++bit) {
    if (bits & (1U << bit)) names.push(toJson(static_cast<Enum>(bit)));
  }
  return names;
}

class Noted {
 public:
  /** Every setter that was called, in order: {"call": name, ...arguments}. */
  Json const& notes() const { return notes_; }

 protected:
  void note(char const* call, Json::Members arguments) {
    arguments.insert(arguments.begin(), {"call", Json(call)});
    notes_.push(Json::object(std::move(arguments)));
  }

 private:
  Json notes_ = Json::array();
};

}  // namespace trt_double
