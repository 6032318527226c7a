#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cuda/device_buffer.h"
#include "cuda/stream.h"
#include "engine/blob.h"
#include "engine/output_allocator.h"
#include "engine/runtime.h"

namespace trtnode {

struct Feed {
  std::string name;
  std::vector<int64_t> dims;
  Blob data;
};

struct RunRequest {
  std::vector<Feed> feeds;
  std::vector<std::string> outputs;  // names
  int32_t profile = 0;
};

struct OutputTensor {
  std::string name;
  std::string type;
  std::vector<int64_t> dims;
  Blob data;
};

// One execution context with its stream and device memory. All calls, construction and destruction come from
// one thread, on which the engine's primary context is current; so one run is in flight at a time.
class ContextRunner {
 public:
  explicit ContextRunner(std::shared_ptr<LoadedEngine> loaded);

  // Throws Error INVALID_INPUT, SHAPE…, INFERENCE_FAILED or OUT_OF_MEMORY; the runner stays usable.
  std::vector<OutputTensor> run(RunRequest const& request);

 private:
  struct Input {
    Input(TensorFacts const& tensor, CudaDriver const& cuda) : facts(&tensor), buffer(cuda) {}

    TensorFacts const* facts;
    DeviceBuffer buffer;
  };
  struct Output {
    Output(TensorFacts const& tensor, CudaDriver const& cuda) : facts(&tensor), buffer(cuda) {}

    TensorFacts const* facts;
    DeviceBuffer buffer;
    OutputAllocator allocator{buffer};
    Blob host;  // for one that TensorRT writes in host memory
    bool dataDependent = false;
  };

  void useProfile(int32_t profile);
  void bindInput(Feed const& feed);
  void bindOutput(Output& output);
  std::vector<int64_t> shapeAfterRun(Output const& output) const;
  OutputTensor fetch(Output& output);
  [[noreturn]] void fail(std::string const& what) const;

  std::shared_ptr<LoadedEngine> loaded_;
  Stream stream_;
  std::map<std::string, std::unique_ptr<Input>> inputs_;
  std::map<std::string, std::unique_ptr<Output>> outputs_;
  int32_t profile_ = 0;
  // The last member, so that it is destroyed before the stream and the memory that it may still know.
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

}  // namespace trtnode
