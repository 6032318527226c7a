// Stand-in for tests: engines of the TensorRT double.
#include "engine_spec.h"

#include <cstring>
#include <stdexcept>

namespace trt_double {
namespace {

template <typename T>
size_t computeAs(RuleSpec const& rule, Operands const& operands) {
  T const* first = reinterpret_cast<T const*>(operands.first);
  T const* second = reinterpret_cast<T const*>(operands.second);
  T* result = reinterpret_cast<T*>(operands.result);
  size_t written = 0;
  for (size_t i = 0; i < operands.elements; ++i) {
    if (rule.op == "scale" || rule.op == "scaleBy")
      result[written++] = static_cast<T>(static_cast<double>(first[i]) * rule.factor);
    else if (rule.op == "subtract")
      result[written++] = static_cast<T>(first[i] - second[i]);
    else if (rule.op == "shrink")
      result[written++] = first[0];
    else if (first[i] > T{0})
      result[written++] = first[i];
  }
  return written;
}

}  // namespace

EngineSpec EngineSpec::read(Json const& json) {
  EngineSpec spec;
  for (Json const& tensor : json["tensors"].items()) {
    spec.tensors.push_back({tensor["name"].string(), tensor["mode"].string() == "input",
                            tensor["location"].string() == "host", typeNamed(tensor["type"].string()),
                            tensor["shape"].integers()});
  }
  for (Json const& profile : json["profiles"].items()) {
    auto& ranges = spec.profiles.emplace_back();
    for (auto const& [name, range] : profile.members()) {
      ranges[name] = {range["min"].integers(), range["opt"].integers(), range["max"].integers()};
    }
  }
  // An engine without dynamic inputs has one profile all the same.
  if (spec.profiles.empty()) spec.profiles.emplace_back();
  for (auto const& [name, rule] : json["rules"].members()) {
    RuleSpec& read = spec.rules[name];
    read.op = rule["op"].string();
    for (Json const& of : rule["of"].items()) read.of.push_back(of.string());
    read.factor = rule["factor"].number();
  }
  spec.runMs = static_cast<long>(json["runMs"].integer());
  if (!json["activationBytes"].isNull())
    spec.activationBytes = static_cast<size_t>(json["activationBytes"].integer());
  if (!json["streamableBytes"].isNull())
    spec.streamableBytes = static_cast<long>(json["streamableBytes"].integer());
  spec.refittable = json["refittable"].boolean();
  spec.hostCode = json["hostCode"].boolean();
  for (TensorSpec const& tensor : spec.tensors) {
    if (!tensor.input && !spec.rules.count(tensor.name))
      throw std::runtime_error("no rule for output " + tensor.name);
  }
  for (auto const& [name, rule] : spec.rules) {
    for (std::string const& of : rule.of) {
      if (!spec.find(of)) throw std::runtime_error("rule of output " + name + " names no tensor: " + of);
    }
  }
  return spec;
}

TensorSpec const* EngineSpec::find(std::string const& name) const {
  for (TensorSpec const& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

bool dependsOnData(RuleSpec const& rule) {
  return rule.op == "positive";
}

size_t compute(RuleSpec const& rule, Operands const& operands) {
  using nvinfer1::DataType;
  if (rule.op == "zero" || rule.op == "copy") {
    size_t const bytes = operands.elements * bytesOf(operands.type);
    if (rule.op != "copy")
      std::memset(operands.result, 0, bytes);
    else
      std::memcpy(operands.result, operands.first, bytes);
    return operands.elements;
  }
  switch (operands.type) {
    case DataType::kFLOAT:
      return computeAs<float>(rule, operands);
    case DataType::kINT32:
      return computeAs<int32_t>(rule, operands);
    case DataType::kINT64:
      return computeAs<int64_t>(rule, operands);
    case DataType::kINT8:
      return computeAs<int8_t>(rule, operands);
    case DataType::kUINT8:
      return computeAs<uint8_t>(rule, operands);
    default:
      std::fprintf(stderr, "TRT_DOUBLE: no arithmetic for this type; use op copy\n");
      std::abort();
  }
}

}  // namespace trt_double
