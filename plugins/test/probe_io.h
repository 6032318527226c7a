// What the probes share: arguments of the form key=value, random values, types as text, results as one line
// of JSON.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace probe {

/** `key=value` arguments; asking for one that is missing and has no default ends the program with its name.
 */
class Arguments {
 public:
  Arguments(int count, char** values) {
    for (int i = 2; i < count; ++i) {
      std::string const text = values[i];
      size_t const split = text.find('=');
      if (split == std::string::npos) throw std::invalid_argument("not key=value: " + text);
      values_[text.substr(0, split)] = text.substr(split + 1);
    }
  }
  std::string text(std::string const& key, char const* otherwise = nullptr) const {
    auto const found = values_.find(key);
    if (found != values_.end()) return found->second;
    if (otherwise == nullptr) throw std::invalid_argument("missing argument " + key);
    return otherwise;
  }
  double number(std::string const& key, double otherwise) const {
    auto const found = values_.find(key);
    return found == values_.end() ? otherwise : std::stod(found->second);
  }
  /** Numbers separated by `,` (dimensions) or `:` (first:last:step). */
  std::vector<int64_t> list(std::string const& key, char const* otherwise = nullptr) const {
    std::vector<int64_t> numbers;
    std::string const all = text(key, otherwise);
    size_t begin = 0;
    while (begin < all.size()) {
      size_t const end = std::min(all.find_first_of(",:", begin), all.size());
      numbers.push_back(std::stoll(all.substr(begin, end - begin)));
      begin = end + 1;
    }
    return numbers;
  }

 private:
  std::map<std::string, std::string> values_;
};

/** Uniform in [-1, 1), the same on every machine. */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) / (uint64_t{1} << 52) - 1.0;
  }

 private:
  uint64_t state_;
};

inline float widen(float value) {
  return value;
}
inline float widen(__half value) {
  return __half2float(value);
}
inline float widen(__nv_bfloat16 value) {
  return __bfloat162float(value);
}
template <class T>
T narrow(double value);
template <>
inline float narrow<float>(double value) {
  return static_cast<float>(value);
}
template <>
inline __half narrow<__half>(double value) {
  return __double2half(value);
}
template <>
inline __nv_bfloat16 narrow<__nv_bfloat16>(double value) {
  return __double2bfloat16(value);
}

template <class T>
struct Precision;
template <>
struct Precision<float> {
  static constexpr int kBits = 24, kMinExponent = -126;
};
template <>
struct Precision<__half> {
  static constexpr int kBits = 11, kMinExponent = -14;
};
template <>
struct Precision<__nv_bfloat16> {
  static constexpr int kBits = 8, kMinExponent = -126;
};

/** The distance between neighbours of type T at `value`. */
template <class T>
double ulpAt(double value) {
  int exponent = Precision<T>::kMinExponent;
  if (value != 0) exponent = std::max(exponent, std::ilogb(value));
  return std::ldexp(1.0, exponent - Precision<T>::kBits + 1);
}

/** Calls `work` with a value of the type that `name` says. */
template <class Work>
void withType(std::string const& name, Work work) {
  if (name == "float32") return work(float{});
  if (name == "float16") return work(__half{});
  if (name == "bfloat16") return work(__nv_bfloat16{});
  throw std::invalid_argument("unknown type " + name);
}

/** A JSON object, written in order. */
class Json {
 public:
  Json& add(std::string const& key, double value) {
    std::ostringstream text;
    text.precision(17);
    if (std::isfinite(value)) {
      text << value;
    } else {
      text << '"' << value << '"';
    }
    return addRaw(key, text.str());
  }
  Json& add(std::string const& key, std::string const& value) { return addRaw(key, '"' + value + '"'); }
  Json& add(std::string const& key, Json const& value) { return addRaw(key, value.text()); }
  Json& addRaw(std::string const& key, std::string const& raw) {
    body_ += (body_.empty() ? "\"" : ",\"") + key + "\":" + raw;
    return *this;
  }
  std::string text() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

}  // namespace probe
