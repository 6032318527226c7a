#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/build_request.h"

namespace trtnode {

// A type of elements, with its name in src/tensor.ts.
struct ElementType {
  nvinfer1::DataType type;
  char const* name;
  size_t bytes;
};

// Null where TensorRT has no such type.
ElementType const* findElementType(std::string const& name);

// An input or output of an engine.
struct TensorFacts {
  std::string name;
  std::string type;            // a DataType of src/tensor.ts
  std::vector<int64_t> shape;  // -1 where a dimension is dynamic
  size_t elementBytes;
  bool onHost;  // TensorRT reads or writes it in host memory (shapes)
};

struct EngineInfo {
  std::vector<TensorFacts> inputs;
  std::vector<TensorFacts> outputs;
  std::vector<Profile> profiles;  // each names every input
  std::string version;            // of the library that loaded it
  int64_t activationBytes = 0;    // device memory of one execution context, of the profile that needs most
  int32_t heaviestProfile = 0;    // that profile
  int64_t weightsBytes = -1;      // -1 where the library does not tell
  int64_t streamableBytes = -1;   // of the weights that may be streamed; -1 where no budget was asked for
  int64_t streamingBudget = -1;   // device memory for these; -1 likewise
};

// `minor` is the library's, which has no more functions than its version had. Throws Error UNSUPPORTED where
// a tensor has a type or layout that JavaScript has no array for.
EngineInfo infoOf(nvinfer1::ICudaEngine const& engine, int32_t minor);

// What to lower for less activation memory, e.g. 'build with a smaller maximum than 16 of dimension 0 of
// "x"'.
std::string largestDimension(EngineInfo const& info);

}  // namespace trtnode
