// Just enough of ONNX for the parser double: the graph's inputs, outputs, nodes, and the types it names.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace trt_double {

struct OnnxValue {
  std::string name;
  int elementType = 0;
  std::vector<int64_t> shape;  // -1 where a dimension has no number
};

struct OnnxNode {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;
};

struct OnnxModel {
  std::vector<OnnxValue> inputs;  // without those that are initializers
  std::vector<OnnxValue> outputs;
  std::vector<OnnxNode> nodes;
  /** Element types by name, of all inputs, initializers and inner values that the model states. */
  std::map<std::string, int> types;
};

/** @throws std::runtime_error where the bytes are no ONNX model */
OnnxModel readOnnx(void const* data, size_t size);

}  // namespace trt_double
