#include "field_reader.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tensorrt_node {
namespace {

using nvinfer1::PluginField;
using nvinfer1::PluginFieldType;

constexpr std::array<char const*, 4> kAlwaysAccepted = {"name", "info", "plugin_version", "plugin_namespace"};

std::string typeName(PluginFieldType type) {
  constexpr std::array<char const*, 11> kNames = {"float16", "float32",  "float64", "int8",
                                                  "int16",   "int32",    "char",    "dims",
                                                  "unknown", "bfloat16", "int64"};
  auto const number = static_cast<size_t>(type);
  return number < kNames.size() ? kNames[number] : "type " + std::to_string(static_cast<int32_t>(type));
}

[[noreturn]] void refuse(PluginField const& field, std::string const& expected) {
  throw PluginError("field '" + std::string(field.name) + "': expected " + expected + ", got " +
                    std::to_string(field.length) + " of " + typeName(field.type));
}

/** Data of a field need not be aligned. */
template <class T>
T at(PluginField const& field, int32_t index) {
  T value;
  std::memcpy(&value, static_cast<char const*>(field.data) + static_cast<size_t>(index) * sizeof(T),
              sizeof(T));
  return value;
}

bool isReal(PluginFieldType type) {
  return type == PluginFieldType::kFLOAT32 || type == PluginFieldType::kFLOAT64 ||
         type == PluginFieldType::kFLOAT16 || type == kFieldBFloat16;
}

float realAt(PluginField const& field, int32_t index) {
  if (field.type == PluginFieldType::kFLOAT32) return at<float>(field, index);
  if (field.type == PluginFieldType::kFLOAT64) return static_cast<float>(at<double>(field, index));
  if (field.type == PluginFieldType::kFLOAT16) return __half2float(at<__half>(field, index));
  return __bfloat162float(at<__nv_bfloat16>(field, index));
}

bool named(PluginField const& field, char const* name) {
  return field.name != nullptr && std::strcmp(field.name, name) == 0;
}

}  // namespace

FieldReader::FieldReader(nvinfer1::PluginFieldCollection const* fields,
                         std::vector<PluginField> const& known) {
  if (fields == nullptr || fields->nbFields <= 0) return;
  if (fields->fields == nullptr) throw PluginError("fields are announced, but none are there");
  fields_.assign(fields->fields, fields->fields + fields->nbFields);
  for (PluginField const& field : fields_) {
    auto const matches = [&](char const* name) { return named(field, name); };
    if (field.name == nullptr) throw PluginError("a field has no name");
    if (std::any_of(kAlwaysAccepted.begin(), kAlwaysAccepted.end(), matches)) continue;
    if (std::any_of(known.begin(), known.end(),
                    [&](PluginField const& other) { return matches(other.name); })) {
      continue;
    }
    std::string names;
    for (PluginField const& other : known) names += (names.empty() ? "" : ", ") + std::string(other.name);
    throw PluginError("field '" + std::string(field.name) + "' is unknown; there are " + names);
  }
}

PluginField const* FieldReader::find(char const* name) const {
  auto const found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](PluginField const& field) { return named(field, name); });
  return found == fields_.end() ? nullptr : &*found;
}

int32_t FieldReader::integer(char const* name, int32_t otherwise) const {
  PluginField const* const field = find(name);
  if (field == nullptr) return otherwise;
  bool const isInteger = field->type == PluginFieldType::kINT32 || field->type == kFieldInt64;
  if (!isInteger || field->length != 1 || field->data == nullptr) refuse(*field, "one int32 or int64");
  if (field->type == PluginFieldType::kINT32) return at<int32_t>(*field, 0);
  auto const value = at<int64_t>(*field, 0);
  if (value < INT32_MIN || value > INT32_MAX) {
    throw PluginError("field '" + std::string(name) + "': expected a number of 32 bits, got " +
                      std::to_string(value));
  }
  return static_cast<int32_t>(value);
}

float FieldReader::real(char const* name, float otherwise) const {
  PluginField const* const field = find(name);
  if (field == nullptr) return otherwise;
  if (!isReal(field->type) || field->length != 1 || field->data == nullptr) refuse(*field, "one float32");
  return realAt(*field, 0);
}

std::optional<std::vector<float>> FieldReader::reals(char const* name) const {
  PluginField const* const field = find(name);
  if (field == nullptr || field->length == 0) return std::nullopt;
  if (!isReal(field->type) || field->length < 0 || field->data == nullptr)
    refuse(*field, "a list of float32");
  std::vector<float> values(static_cast<size_t>(field->length));
  for (int32_t i = 0; i < field->length; ++i) values[static_cast<size_t>(i)] = realAt(*field, i);
  return values;
}

}  // namespace tensorrt_node
