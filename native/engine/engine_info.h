#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/build_request.h"

namespace trtnode {

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
};

// Throws Error UNSUPPORTED where a tensor has a type or layout that JavaScript has no array for.
EngineInfo infoOf(nvinfer1::ICudaEngine const& engine);

}  // namespace trtnode
