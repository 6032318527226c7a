#include "engine/context_runner.h"

#include <utility>

#include "engine/dims.h"
#include "loader/error.h"

namespace trtnode {
namespace {

cudaStream_t asCudart(CuStream stream) {
  return reinterpret_cast<cudaStream_t>(stream);
}

// Nothing that a run uses may go away while the stream still works, on the way of an error either.
class DrainOnError {
 public:
  explicit DrainOnError(Stream const& stream) noexcept : stream_(&stream) {}
  ~DrainOnError() {
    if (stream_ != nullptr) stream_->drain();
  }
  DrainOnError(DrainOnError const&) = delete;
  DrainOnError& operator=(DrainOnError const&) = delete;

  void synchronized() noexcept { stream_ = nullptr; }

 private:
  Stream const* stream_;
};

}  // namespace

ContextRunner::ContextRunner(std::shared_ptr<LoadedEngine> loaded)
    : loaded_(std::move(loaded)),
      cuda_(loaded_->gpu()->cuda()),
      stream_(cuda_),
      timer_(cuda_),
      host_(*loaded_->gpu(), loaded_->info().inputs.size(), loaded_->info().outputs.size()) {
  GpuMemory& gpu = *loaded_->gpu();
  for (TensorFacts const& facts : loaded_->info().inputs) {
    inputs_.push_back(std::make_unique<Input>(facts, gpu));
    readsValues_ = readsValues_ || facts.onHost;
  }
  anyOnHost_ = readsValues_;
  for (TensorFacts const& facts : loaded_->info().outputs) {
    outputs_.push_back(std::make_unique<Output>(facts, gpu));
    anyOnHost_ = anyOnHost_ || facts.onHost;
  }
  context_.reset(loaded_->engine().createExecutionContext());
  if (context_ == nullptr) fail("TensorRT made no execution context");
  reserveForProfiles();
}

void ContextRunner::reserveForProfiles() {
  DrainOnError const drain(stream_);
  Call largest(inputs_.size(), outputs_.size());
  largest.host = &host_;
  std::vector<Profile> const& profiles = loaded_->info().profiles;
  // The first comes last: it is the one that a new context has, and what most calls use.
  for (size_t number = profiles.size(); number-- > 0;) {
    largest.profile = static_cast<int32_t>(number);
    for (size_t index = 0; index < inputs_.size(); ++index) {
      Input& input = *inputs_[index];
      largest.inputShapes[index] = dimsOf(profiles[number].at(input.facts->name).max);
      size_t const bytes = bytesOf(largest.inputShapes[index], input.facts->elementBytes);
      host_.inputs[index].reserve(bytes);
      if (!input.facts->onHost) input.buffer.reserve(bytes);
    }
    // Without the values of inputs in host memory, TensorRT can say nothing about the outputs.
    if (readsValues_) continue;
    prepare(largest);
    for (size_t index = 0; index < outputs_.size(); ++index) {
      Output const& output = *outputs_[index];
      if (isKnown(output.shape)) {
        host_.outputs[index].reserve(bytesOf(output.shape, output.facts->elementBytes));
      }
    }
  }
}

void ContextRunner::run(Call& call) {
  loaded_->forgetErrors();
  DrainOnError drain(stream_);  // destroyed before anything that the stream uses
  try {
    prepare(call);
    timer_.mark(0, stream_);
    copyIn(call);
    timer_.mark(1, stream_);
    enqueue();
    timer_.mark(2, stream_);
    copyOut(call);
    timer_.mark(3, stream_);
    stream_.synchronize();
    drain.synchronized();
    call.times = timer_.times();
  } catch (...) {
    forgetWhatWasTold();
    throw;
  }
}

void ContextRunner::shapeOutputs(Call& call) {
  loaded_->forgetErrors();
  DrainOnError const drain(stream_);
  try {
    prepare(call);
  } catch (...) {
    forgetWhatWasTold();
    throw;
  }
  for (size_t index = 0; index < outputs_.size(); ++index) call.outputShapes[index] = outputs_[index]->shape;
}

void ContextRunner::prepare(Call const& call) {
  useProfile(call.profile);
  bool const changed = setShapes(call);
  if (!changed && !outputsStale_ && !anyOnHost_) return;
  outputsStale_ = true;
  anyDataDependent_ = false;
  for (auto const& output : outputs_) {
    shapeOutput(*output);
    anyDataDependent_ = anyDataDependent_ || output->dataDependent;
  }
  for (size_t index = 0; index < outputs_.size(); ++index)
    placeOutput(*outputs_[index], call.host->outputs[index]);
  outputsStale_ = false;
}

void ContextRunner::useProfile(int32_t profile) {
  if (profile == profile_) return;
  forgetWhatWasTold();
  if (!context_->setOptimizationProfileAsync(profile, asCudart(stream_.get()))) {
    fail("TensorRT did not take optimization profile " + std::to_string(profile));
  }
  profile_ = profile;
}

bool ContextRunner::setShapes(Call const& call) {
  bool changed = false;
  for (size_t index = 0; index < inputs_.size(); ++index) {
    Input& input = *inputs_[index];
    bind(input, input.facts->onHost ? call.host->inputs[index].data() : input.buffer.address());
    if (areEqual(input.shape, call.inputShapes[index])) continue;
    if (!context_->setInputShape(input.facts->name.c_str(), call.inputShapes[index])) {
      fail("TensorRT refused the shape of input \"" + input.facts->name + "\"");
    }
    input.shape = call.inputShapes[index];
    changed = true;
  }
  return changed;
}

void ContextRunner::shapeOutput(Output& output) {
  char const* name = output.facts->name.c_str();
  output.shape = context_->getTensorShape(name);
  bool const dataDependent = !isKnown(output.shape);
  if (dataDependent && output.facts->onHost) {
    throw Error(ErrorCode::kUnsupported, "output \"" + output.facts->name +
                                             "\" is in host memory with a shape that depends on the data");
  }
  if (dataDependent != output.dataDependent) {
    if (!context_->setOutputAllocator(name, dataDependent ? &output.allocator : nullptr)) {
      fail("TensorRT refused the allocator of output \"" + output.facts->name + "\"");
    }
    output.dataDependent = dataDependent;
  }
}

// TensorRT writes an output in device memory to the runner's, and one in host memory to the call's.
void ContextRunner::placeOutput(Output& output, PinnedBuffer& host) {
  if (output.dataDependent) return;
  size_t const bytes = bytesOf(output.shape, output.facts->elementBytes);
  if (output.facts->onHost) {
    host.reserve(bytes);
    bind(output, host.data());
  } else {
    output.buffer.reserve(bytes);
    bind(output, output.buffer.address());
  }
}

void ContextRunner::copyIn(Call const& call) {
  for (size_t index = 0; index < inputs_.size(); ++index) {
    Input const& input = *inputs_[index];
    if (input.facts->onHost) continue;
    size_t const bytes = bytesOf(input.shape, input.facts->elementBytes);
    if (bytes == 0) continue;
    cuda_.check(
        cuda_.memcpyHtoDAsync(input.buffer.get(), call.host->inputs[index].data(), bytes, stream_.get()),
        "cuMemcpyHtoDAsync");
  }
}

void ContextRunner::bind(Input& input, void const* address) {
  if (input.address == address) return;
  if (!context_->setInputTensorAddress(input.facts->name.c_str(), address)) {
    fail("TensorRT refused the address of input \"" + input.facts->name + "\"");
  }
  input.address = address;
}

void ContextRunner::bind(Output& output, void* address) {
  if (output.address == address) return;
  if (!context_->setTensorAddress(output.facts->name.c_str(), address)) {
    fail("TensorRT refused the address of output \"" + output.facts->name + "\"");
  }
  output.address = address;
}

void ContextRunner::enqueue() {
  if (anyDataDependent_) {
    for (auto const& output : outputs_) output->allocator.reset();
  }
  bool const enqueued = context_->enqueueV3(asCudart(stream_.get()));
  for (auto const& output : outputs_) {
    if (output->allocator.failed())
      throw Error(ErrorCode::kOutOfMemory, "out of device memory for output \"" + output->facts->name + "\"");
  }
  if (!enqueued) fail("TensorRT did not run the engine");
}

void ContextRunner::copyOut(Call& call) {
  // How much there is to copy, is known when it has been computed.
  if (anyDataDependent_) stream_.synchronize();
  for (size_t index = 0; index < outputs_.size(); ++index) {
    Output& output = *outputs_[index];
    nvinfer1::Dims const& shape = output.dataDependent ? output.allocator.dims() : output.shape;
    if (!isKnown(shape)) fail("TensorRT gave no shape for output \"" + output.facts->name + "\"");
    call.outputShapes[index] = shape;
    if (call.wanted[index] != 0 && !output.facts->onHost) copyOut(output, shape, call.host->outputs[index]);
  }
}

void ContextRunner::copyOut(Output& output, nvinfer1::Dims const& shape, PinnedBuffer& to) {
  size_t const bytes = bytesOf(shape, output.facts->elementBytes);
  if (bytes > output.buffer.capacity()) {
    fail("TensorRT gave output \"" + output.facts->name + "\" a shape larger than the memory it asked for");
  }
  to.reserve(bytes);
  if (bytes == 0) return;
  cuda_.check(cuda_.memcpyDtoHAsync(to.data(), output.buffer.get(), bytes, stream_.get()),
              "cuMemcpyDtoHAsync");
}

// Makes the next run tell TensorRT everything: after a switch of profiles, which resets it, and after a
// failure, which may have come at any point.
void ContextRunner::forgetWhatWasTold() {
  for (auto const& input : inputs_) {
    input->shape = unknownDims();
    input->address = nullptr;
  }
  for (auto const& output : outputs_) output->address = nullptr;
  outputsStale_ = true;
}

void ContextRunner::fail(std::string const& what) const {
  std::string const errors = loaded_->errors();
  std::string const message = what + (errors.empty() ? "" : ":\n" + errors);
  // TensorRT says no more than that it failed; where it was CUDA that did, CUDA says so again.
  CuResult const state = cuda_.streamSynchronize(stream_.get());
  if (isLost(state)) cuda_.check(state, message.c_str());
  throw Error(speaksOfMemory(errors) ? ErrorCode::kOutOfMemory : ErrorCode::kInferenceFailed, message);
}

}  // namespace trtnode
