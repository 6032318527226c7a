#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/blob.h"
#include "engine/logger.h"
#include "loader/shared_library.h"
#include "plugins/bench_device.h"
#include "plugins/plugin_subject.h"

namespace trtnode {

struct FieldInfo {
  std::string name;
  std::string type;    // e.g. "float32"; "unknown" for one that the bench has no name for
  int32_t length = 0;  // 0: any number
};

struct CreatorInfo {
  std::string name, version, space, interface;
  std::vector<FieldInfo> fields;
};

// A field of a node. `data` holds `length` elements of `type`, whose names are those of FieldInfo.
struct FieldValue {
  std::string name, type;
  Blob data;
  int32_t length = 0;
};

// A tensor, row-major.
struct BenchTensor {
  std::string type;
  std::vector<int64_t> dims;
  Blob data;
};

struct BenchRequest {
  std::string name, version, space;
  std::vector<FieldValue> fields;
  std::vector<BenchTensor> inputs;
  // Format of the first input and the outputs where the plugin takes it; the others are linear if they can
  // be.
  std::string format;
  int32_t device = 0;
  int32_t iterations = 0;  // of the timing, on a GPU
};

struct BenchResult {
  std::string interface, device;
  std::vector<BenchTensor> outputs;
  std::vector<std::string> inputFormats, outputFormats;
  size_t workspaceBytes = 0, serializedBytes = 0;
  // Of one enqueue, counted where the library is an emulated build.
  std::vector<int64_t> calls;       // launches, allocations, synchronizations; else empty
  std::vector<float> milliseconds;  // of each timed enqueue
  size_t bytesMoved = 0;            // of all inputs and outputs
  double peakBandwidth = 0;         // bytes a second; 0: not known
};

// A plugin library outside of any engine: what it has, and what its plugins compute.
//
// Meant for a process that has nothing to lose: the library's code runs in it.
class PluginBench {
 public:
  // Opens `preload`, which the library needs, for all to see, and then the library. Throws Error
  // INVALID_PLUGIN with the loader's words.
  PluginBench(std::string const& path, std::vector<std::string> const& preload);

  std::vector<CreatorInfo> creators() const;
  // The interface of the plugins of a creator, found by having it make one without any fields.
  std::string interfaceOf(size_t creator) const;
  // Throws Error INVALID_ARGUMENT (no such creator), PLUGIN_FAILED, UNSUPPORTED, GPU_NOT_FOUND.
  BenchResult run(BenchRequest const& request);
  // Whether its kernels run on the CPU.
  bool emulated() const;

 private:
  std::vector<nvinfer1::IPluginCreatorInterface*> all() const;
  std::unique_ptr<BenchDevice> deviceOf(BenchRequest const& request) const;
  BenchResult runWith(BenchRequest const& request);

  std::shared_ptr<Logger> logger_;
  std::unique_ptr<SharedLibrary> library_;
};

}  // namespace trtnode
