// What an engine of the double is: its tensors, its profiles, and how each output comes from the inputs.
//
// {"tensors": [{"name": "x", "mode": "input", "type": "kFLOAT", "shape": [-1, 4], "location": "device"},
// ...],
//  "profiles": [{"x": {"min": [1, 4], "opt": [2, 4], "max": [8, 4]}}],
//  "rules": {"y": {"op": "scale", "of": ["x"], "factor": 2}},
//  "runMs": 0,
//  "activationBytes": 4096,
//  "streamableBytes": 0,
//  "refittable": true,
//  "hostCode": false}
//
// Ops, and what they give:
// - copy: the input, bit by bit
// - scale: the input times `factor`
// - scaleBy: the input times the weight "factor:<output>", at first `factor`, which a refit changes
// - subtract: the first input minus the second
// - positive: the elements above 0, as one dimension whose length depends on the data
// - shrink: the first element, `factor` minus the first dimension times by the other dimensions: fewer for
//   more rows
// - zero: zeros in the tensor's own shape; a dynamic dimension is that of the first input
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support.h"

namespace trt_double {

struct TensorSpec {
  std::string name;
  bool input;
  bool host;
  nvinfer1::DataType type;
  std::vector<int64_t> shape;
};

struct RangeSpec {
  std::vector<int64_t> min, opt, max;
};

struct RuleSpec {
  std::string op;
  std::vector<std::string> of;
  double factor;
};

struct EngineSpec {
  std::vector<TensorSpec> tensors;
  std::vector<std::map<std::string, RangeSpec>> profiles;
  std::map<std::string, RuleSpec> rules;
  long runMs = 0;
  size_t activationBytes = 4096;  // of the first profile; the second needs twice as much, and so on
  long streamableBytes = 0;       // of weights that may be streamed
  bool refittable = false;
  bool hostCode = false;  // whether the plan says that it brings host code; the double has none

  /** @throws std::runtime_error */
  static EngineSpec read(Json const& json);
  TensorSpec const* find(std::string const& name) const;
};

/** Whether an output's shape is known only after it has been computed. */
bool dependsOnData(RuleSpec const& rule);

/** One element of a run: where an output's rule finds its operands and puts its result. */
struct Operands {
  nvinfer1::DataType type;
  size_t elements;  // of the first operand
  unsigned char const* first;
  unsigned char const* second;
  unsigned char* result;
};

/** Computes an output, and gives how many elements it has. */
size_t compute(RuleSpec const& rule, Operands const& operands);

}  // namespace trt_double
