#include "engine/bound_context.h"

#include <utility>

#include "loader/error.h"

namespace trtnode {
namespace {

cudaStream_t asCudart(CuStream stream) {
  return reinterpret_cast<cudaStream_t>(stream);
}

}  // namespace

BoundContext::BoundContext(std::shared_ptr<LoadedEngine> loaded,
                           std::unique_ptr<nvinfer1::IExecutionContext> context, Stream const& stream)
    : loaded_(std::move(loaded)),
      stream_(stream),
      inputs_(loaded_->info().inputs.size()),
      outputs_(loaded_->info().outputs.size()),
      context_(std::move(context)) {
  for (TensorFacts const& facts : loaded_->info().inputs) anyOnHost_ = anyOnHost_ || facts.onHost;
  for (TensorFacts const& facts : loaded_->info().outputs) anyOnHost_ = anyOnHost_ || facts.onHost;
  if (context_ == nullptr) fail("TensorRT made no execution context");
  if (loaded_->layerTimes() == nullptr) return;
  context_->setProfiler(loaded_->layerTimes().get());
  // Otherwise an enqueue would wait for the GPU.
  context_->setEnqueueEmitsProfile(false);
}

bool BoundContext::tellInputs(Call const& call, RunnerMemory& memory) {
  useProfile(call.profile);
  bool changed = false;
  for (size_t index = 0; index < inputs_.size(); ++index) {
    Input& input = inputs_[index];
    // Device memory stays where it is, as the runner takes as much as the largest shapes need. While it does,
    // it goes from profile to profile, and each switch forgets the addresses.
    if (anyOnHost_ || input.address == nullptr) bind(index, *memory.inputs[index], call);
    if (areEqual(input.shape, call.inputShapes[index])) continue;
    TensorFacts const& facts = *memory.inputs[index]->facts;
    if (!context_->setInputShape(facts.name.c_str(), call.inputShapes[index])) {
      fail("TensorRT refused the shape of input \"" + facts.name + "\"");
    }
    input.shape = call.inputShapes[index];
    input.deviceBytes = facts.onHost ? 0 : bytesOf(input.shape, facts.elementBytes);
    changed = true;
  }
  if (!changed && !outputsStale_ && !anyOnHost_) return false;
  outputsStale_ = true;
  anyDataDependent_ = false;
  for (size_t index = 0; index < outputs_.size(); ++index) {
    shapeOutput(index, *memory.outputs[index]);
    anyDataDependent_ = anyDataDependent_ || outputs_[index].dataDependent;
  }
  return true;
}

void BoundContext::useProfile(int32_t profile) {
  if (profile == profile_) return;
  forgetWhatWasTold();
  if (!context_->setOptimizationProfileAsync(profile, asCudart(stream_.get()))) {
    fail("TensorRT did not take optimization profile " + std::to_string(profile));
  }
  profile_ = profile;
}

void BoundContext::shapeOutput(size_t index, OutputMemory& memory) {
  std::string const& name = memory.facts->name;
  Output& output = outputs_[index];
  output.shape = context_->getTensorShape(name.c_str());
  bool const dataDependent = !isKnown(output.shape);
  output.deviceBytes =
      dataDependent || memory.facts->onHost ? 0 : bytesOf(output.shape, memory.facts->elementBytes);
  if (dataDependent && memory.facts->onHost) {
    throw Error(ErrorCode::kUnsupported,
                "output \"" + name + "\" is in host memory with a shape that depends on the data");
  }
  if (dataDependent != output.dataDependent) {
    if (!context_->setOutputAllocator(name.c_str(), dataDependent ? &memory.allocator : nullptr)) {
      fail("TensorRT refused the allocator of output \"" + name + "\"");
    }
    output.dataDependent = dataDependent;
  }
}

void BoundContext::tellOutputs(Call const& call, RunnerMemory& memory) {
  for (size_t index = 0; index < outputs_.size(); ++index) {
    Output& output = outputs_[index];
    OutputMemory const& at = *memory.outputs[index];
    if (output.dataDependent) continue;
    void* const address = at.facts->onHost ? call.host->outputs[index].data() : at.buffer.address();
    if (output.address == address) continue;
    if (!context_->setTensorAddress(at.facts->name.c_str(), address)) {
      fail("TensorRT refused the address of output \"" + at.facts->name + "\"");
    }
    output.address = address;
  }
  outputsStale_ = false;
}

void BoundContext::bind(size_t index, InputMemory const& at, Call const& call) {
  TensorFacts const& facts = *at.facts;
  void const* const address = facts.onHost ? call.host->inputs[index].data() : at.buffer.address();
  if (inputs_[index].address == address) return;
  if (!context_->setInputTensorAddress(facts.name.c_str(), address)) {
    fail("TensorRT refused the address of input \"" + facts.name + "\"");
  }
  inputs_[index].address = address;
}

void BoundContext::enqueue(RunnerMemory& memory) {
  if (anyDataDependent_) {
    for (auto const& output : memory.outputs) output->allocator.reset();
  }
  bool const enqueued = context_->enqueueV3(asCudart(stream_.get()));
  if (anyDataDependent_) requireRoomFound(memory);
  if (!enqueued) fail("TensorRT did not run the engine");
}

void BoundContext::requireRoomFound(RunnerMemory const& memory) const {
  for (auto const& output : memory.outputs) {
    if (output->allocator.failed()) {
      throw Error(ErrorCode::kOutOfMemory, "out of device memory for output \"" + output->facts->name + "\"");
    }
  }
}

void BoundContext::reportLayers() const {
  if (!context_->reportToProfiler()) fail("TensorRT told no times of its layers");
}

void BoundContext::forgetWhatWasTold() {
  for (Input& input : inputs_) {
    input.shape = unknownDims();
    input.address = nullptr;
  }
  for (Output& output : outputs_) output.address = nullptr;
  outputsStale_ = true;
}

}  // namespace trtnode
