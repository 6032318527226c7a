#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trtnode {

// Dimensions of one input of one optimization profile.
struct ShapeRange {
  std::vector<int64_t> min;
  std::vector<int64_t> opt;
  std::vector<int64_t> max;
};

using Profile = std::map<std::string, ShapeRange>;

// BuildSettings of src/backends/backend.ts; an empty optional leaves TensorRT's default. Names are the API's.
struct BuildSettings {
  std::optional<bool> fp16;
  std::optional<bool> bf16;
  std::optional<bool> tf32;
  std::optional<bool> stronglyTyped;
  std::optional<bool> sparsity;
  std::optional<bool> versionCompatible;
  std::optional<bool> refit;
  std::optional<bool> refitIdentical;
  std::optional<bool> stripPlan;
  std::optional<bool> weightStreaming;
  std::optional<int32_t> optimizationLevel;
  std::optional<int32_t> maxAuxStreams;
  std::optional<std::string> hardwareCompatibility;
  std::optional<std::string> profilingVerbosity;
  std::optional<std::vector<std::string>> tacticSources;
  std::map<std::string, uint64_t> memoryPools;   // bytes by name, the workspace as "workspace"
  std::vector<std::string> computeCapabilities;  // empty: the GPU at hand, else all that suit the model
  std::string timingCache;                       // path; empty: none
};

struct BuildRequest {
  std::string nvinfer;     // path of libnvinfer / libtensorrt_rtx
  std::string onnxParser;  // path of the ONNX parser library
  std::string modelPath;   // either this or the bytes
  std::vector<uint8_t> modelBytes;
  std::vector<Profile> profiles;
  std::vector<std::string> plugins;  // paths of plugin libraries
  BuildSettings settings;
};

}  // namespace trtnode
