#include "engine/context_runner.h"

#include <algorithm>
#include <utility>

#include "loader/error.h"

namespace trtnode {
namespace {

cudaStream_t asCudart(CuStream stream) {
  return reinterpret_cast<cudaStream_t>(stream);
}

nvinfer1::Dims dimsOf(std::vector<int64_t> const& shape) {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<int32_t>(shape.size());
  for (size_t index = 0; index < shape.size(); ++index) dims.d[index] = shape[index];
  return dims;
}

size_t bytesOf(std::vector<int64_t> const& shape, size_t elementBytes) {
  size_t bytes = elementBytes;
  for (int64_t const dim : shape) bytes *= static_cast<size_t>(dim);
  return bytes;
}

bool isKnown(nvinfer1::Dims const& dims) {
  if (dims.nbDims < 0) return false;
  for (int32_t index = 0; index < dims.nbDims; ++index) {
    if (dims.d[index] < 0) return false;
  }
  return true;
}

std::vector<int64_t> shapeOf(nvinfer1::Dims const& dims) {
  return {dims.d, dims.d + dims.nbDims};
}

// Nothing that a run uses may go away while the stream still works, on the way of an error either.
class DrainOnExit {
 public:
  explicit DrainOnExit(Stream const& stream) noexcept : stream_(stream) {}
  ~DrainOnExit() { stream_.drain(); }
  DrainOnExit(DrainOnExit const&) = delete;
  DrainOnExit& operator=(DrainOnExit const&) = delete;

 private:
  Stream const& stream_;
};

}  // namespace

ContextRunner::ContextRunner(std::shared_ptr<LoadedEngine> loaded)
    : loaded_(std::move(loaded)), stream_(loaded_->context().cuda()) {
  CudaDriver const& cuda = loaded_->context().cuda();
  for (TensorFacts const& facts : loaded_->info().inputs) {
    inputs_[facts.name] = std::make_unique<Input>(facts, cuda);
  }
  for (TensorFacts const& facts : loaded_->info().outputs) {
    outputs_[facts.name] = std::make_unique<Output>(facts, cuda);
  }
  context_.reset(loaded_->engine().createExecutionContext());
  if (context_ == nullptr) fail("TensorRT made no execution context");
}

std::vector<OutputTensor> ContextRunner::run(RunRequest const& request) {
  loaded_->forgetErrors();
  std::vector<OutputTensor> results;
  results.reserve(request.outputs.size());
  DrainOnExit const drain(stream_);  // destroyed before the results, which the stream writes
  useProfile(request.profile);
  for (Feed const& feed : request.feeds) bindInput(feed);
  for (auto const& [name, output] : outputs_) bindOutput(*output);
  bool const enqueued = context_->enqueueV3(asCudart(stream_.get()));
  for (auto const& [name, output] : outputs_) {
    if (output->allocator.failed())
      throw Error(ErrorCode::kOutOfMemory, "out of device memory for output \"" + name + "\"");
  }
  if (!enqueued) fail("TensorRT did not run the engine");
  stream_.synchronize();
  for (std::string const& name : request.outputs) {
    auto const found = outputs_.find(name);
    if (found == outputs_.end())
      throw Error(ErrorCode::kInvalidArgument, "the engine has no output \"" + name + "\"");
    results.push_back(fetch(*found->second));
  }
  stream_.synchronize();
  return results;
}

void ContextRunner::useProfile(int32_t profile) {
  if (profile == profile_) return;
  if (!context_->setOptimizationProfileAsync(profile, asCudart(stream_.get()))) {
    fail("TensorRT did not take optimization profile " + std::to_string(profile));
  }
  profile_ = profile;
}

void ContextRunner::bindInput(Feed const& feed) {
  auto const found = inputs_.find(feed.name);
  if (found == inputs_.end())
    throw Error(ErrorCode::kInvalidInput, "the engine has no input \"" + feed.name + "\"");
  Input& input = *found->second;
  size_t const bytes = bytesOf(feed.dims, input.facts->elementBytes);
  if (feed.data.size != bytes) {
    throw Error(ErrorCode::kInvalidInput, "input \"" + feed.name + "\": expected " + std::to_string(bytes) +
                                              " bytes, received " + std::to_string(feed.data.size));
  }
  if (!context_->setInputShape(feed.name.c_str(), dimsOf(feed.dims))) {
    fail("TensorRT refused the shape of input \"" + feed.name + "\"");
  }
  void const* address = feed.data.data.get();
  if (!input.facts->onHost) {
    input.buffer.reserve(bytes);
    address = input.buffer.address();
    if (bytes > 0) {
      CudaDriver const& cuda = loaded_->context().cuda();
      cuda.check(cuda.memcpyHtoDAsync(input.buffer.get(), feed.data.data.get(), bytes, stream_.get()),
                 "cuMemcpyHtoDAsync");
    }
  }
  if (!context_->setInputTensorAddress(feed.name.c_str(), address)) {
    fail("TensorRT refused the address of input \"" + feed.name + "\"");
  }
}

void ContextRunner::bindOutput(Output& output) {
  char const* name = output.facts->name.c_str();
  nvinfer1::Dims const dims = context_->getTensorShape(name);
  bool const dataDependent = !isKnown(dims);
  if (dataDependent && output.facts->onHost) {
    throw Error(ErrorCode::kUnsupported, "output \"" + output.facts->name +
                                             "\" is in host memory with a shape that depends on the data");
  }
  output.allocator.reset();
  if (dataDependent != output.dataDependent) {
    if (!context_->setOutputAllocator(name, dataDependent ? &output.allocator : nullptr)) {
      fail("TensorRT refused the allocator of output \"" + output.facts->name + "\"");
    }
    output.dataDependent = dataDependent;
  }
  if (dataDependent) return;
  size_t const bytes = bytesOf(shapeOf(dims), output.facts->elementBytes);
  void* address = nullptr;
  if (output.facts->onHost) {
    if (output.host.size < bytes || output.host.data == nullptr) output.host = Blob(bytes);
    address = output.host.data.get();
  } else {
    output.buffer.reserve(bytes);
    address = output.buffer.address();
  }
  if (!context_->setTensorAddress(name, address)) {
    fail("TensorRT refused the address of output \"" + output.facts->name + "\"");
  }
}

std::vector<int64_t> ContextRunner::shapeAfterRun(Output const& output) const {
  nvinfer1::Dims const dims =
      output.dataDependent ? output.allocator.dims() : context_->getTensorShape(output.facts->name.c_str());
  if (!isKnown(dims)) fail("TensorRT gave no shape for output \"" + output.facts->name + "\"");
  return shapeOf(dims);
}

OutputTensor ContextRunner::fetch(Output& output) {
  TensorFacts const& facts = *output.facts;
  OutputTensor result{facts.name, facts.type, shapeAfterRun(output), {}};
  size_t const bytes = bytesOf(result.dims, facts.elementBytes);
  result.data = Blob(bytes);
  if (facts.onHost) {
    std::copy_n(output.host.data.get(), bytes, result.data.data.get());
    return result;
  }
  if (bytes > output.buffer.capacity()) {
    fail("TensorRT gave output \"" + facts.name + "\" a shape larger than the memory it asked for");
  }
  if (bytes > 0) {
    CudaDriver const& cuda = loaded_->context().cuda();
    cuda.check(cuda.memcpyDtoHAsync(result.data.data.get(), output.buffer.get(), bytes, stream_.get()),
               "cuMemcpyDtoHAsync");
  }
  return result;
}

void ContextRunner::fail(std::string const& what) const {
  std::string const errors = loaded_->errors();
  throw Error(speaksOfMemory(errors) ? ErrorCode::kOutOfMemory : ErrorCode::kInferenceFailed,
              what + (errors.empty() ? "" : ":\n" + errors));
}

}  // namespace trtnode
