#include "engine/context_runner.h"

#include <algorithm>
#include <utility>

#include "engine/dims.h"
#include "engine/tensorrt_family.h"
#include "loader/error.h"

namespace trtnode {
namespace {

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
      host_(*loaded_->gpu(), loaded_->info().inputs.size(), loaded_->info().outputs.size()),
      memory_(loaded_->info(), *loaded_->gpu()),
      activation_(*loaded_->gpu(), DeviceBuffer::Uncounted()) {
  if (loaded_->mostGraphs() > 0 && loaded_->minor() >= family::kMemorySizesSince) {
    activation_.reserve(static_cast<size_t>(loaded_->engine().getDeviceMemorySizeV2()));
  }
  context_ = makeContext();
  reserveForProfiles();
  if (loaded_->mostGraphs() == 0) return;
  std::string const obstacle = obstacleToGraphs();
  if (obstacle.empty()) {
    lanes_.emplace(loaded_->mostGraphs(), loaded_->graphs());
  } else {
    loaded_->graphs()->noteFallback(obstacle);
  }
}

std::unique_ptr<BoundContext> ContextRunner::makeContext() {
  using Strategy = nvinfer1::ExecutionContextAllocationStrategy;
  bool const shared = activation_.capacity() > 0;
  std::unique_ptr<nvinfer1::IExecutionContext> context(
      loaded_->engine().createExecutionContext(shared ? Strategy::kUSER_MANAGED : Strategy::kSTATIC));
  if (context != nullptr && shared) {
    context->setDeviceMemoryV2(activation_.address(), static_cast<int64_t>(activation_.capacity()));
  }
  return std::make_unique<BoundContext>(loaded_, std::move(context), stream_);
}

void ContextRunner::reserveForProfiles() {
  DrainOnError const drain(stream_);
  EngineInfo const& info = loaded_->info();
  bool const readsValues = std::any_of(info.inputs.begin(), info.inputs.end(),
                                       [](TensorFacts const& facts) { return facts.onHost; });
  Call largest(info.inputs.size(), info.outputs.size());
  largest.host = &host_;
  // The first comes last: it is the one that a new context has, and what most calls use.
  for (size_t number = info.profiles.size(); number-- > 0;) {
    largest.profile = static_cast<int32_t>(number);
    for (size_t index = 0; index < info.inputs.size(); ++index) {
      InputMemory& input = *memory_.inputs[index];
      largest.inputShapes[index] = dimsOf(info.profiles[number].at(input.facts->name).max);
      size_t const bytes = bytesOf(largest.inputShapes[index], input.facts->elementBytes);
      host_.inputs[index].reserve(bytes);
      if (!input.facts->onHost) input.buffer.reserve(bytes);
    }
    // Without the values of inputs in host memory, TensorRT can say nothing about the outputs.
    if (readsValues) continue;
    prepare(*context_, largest);
    for (size_t index = 0; index < info.outputs.size(); ++index) {
      nvinfer1::Dims const& shape = context_->outputShape(index);
      if (isKnown(shape)) host_.outputs[index].reserve(bytesOf(shape, info.outputs[index].elementBytes));
    }
  }
}

std::string ContextRunner::obstacleToGraphs() const {
  if (loaded_->layerTimes() != nullptr) return "its layers are timed one by one";
  if (activation_.capacity() == 0) return "TensorRT is older than 10.1";
  for (auto const* tensors : {&loaded_->info().inputs, &loaded_->info().outputs}) {
    for (TensorFacts const& facts : *tensors) {
      if (facts.onHost) return "\"" + facts.name + "\" is in host memory, whose values each call brings";
    }
  }
  for (size_t index = 0; index < memory_.outputs.size(); ++index) {
    if (context_->dependsOnData(index)) {
      return "the shape of output \"" + memory_.outputs[index]->facts->name +
             "\" depends on the data, for which TensorRT waits while it enqueues";
    }
  }
  return {};
}

void ContextRunner::run(Call& call) {
  timer_.beginRun();
  loaded_->forgetErrors();
  requireDeviceTensors(call);
  if (lanes_.has_value() && refits_ != loaded_->refits()) lanes_->forgetPlaces();
  refits_ = loaded_->refits();
  GraphLanes::Lane* const lane = laneOf(call);
  BoundContext& bound = lane == nullptr ? *context_ : *lane->bound;
  try {
    runIn(bound, lane, call);
  } catch (...) {
    bound.forgetWhatWasTold();
    if (lane != nullptr) lanes_->drop(*lane);
    throw;
  }
}

// What TensorRT reads or writes in host memory is not on the device.
void ContextRunner::requireDeviceTensors(Call const& call) const {
  if (!context_->anyOnHost()) return;
  for (size_t index = 0; index < memory_.inputs.size(); ++index) {
    TensorFacts const& facts = *memory_.inputs[index]->facts;
    if (facts.onHost && call.deviceInputs[index] != nullptr) {
      throw Error(ErrorCode::kInvalidInput,
                  "input \"" + facts.name + "\" is read in host memory, and a tensor on the GPU was given",
                  "await its toHost()");
    }
  }
  for (size_t index = 0; call.toDevice && index < memory_.outputs.size(); ++index) {
    TensorFacts const& facts = *memory_.outputs[index]->facts;
    if (facts.onHost && call.wanted[index] != 0) {
      throw Error(ErrorCode::kUnsupported, "output \"" + facts.name + "\" is written to host memory",
                  "leave it out by the option outputs, or use engine.infer");
    }
  }
}

void ContextRunner::runIn(BoundContext& bound, GraphLanes::Lane* lane, Call& call) {
  DrainOnError drain(stream_);  // destroyed before anything that the stream uses
  // What was captured has its shapes and its places in it.
  if (lane == nullptr || !lane->graph.has_value()) prepare(bound, call);
  if (lane != nullptr && lane->warm && lane->capturable && !lane->graph.has_value()) capture(*lane);
  timer_.mark(0, stream_);
  copyIn(bound, call);
  timer_.mark(1, stream_);
  timer_.beginEnqueue();
  compute(bound, lane);
  timer_.endEnqueue();
  timer_.mark(2, stream_);
  copyOut(bound, call);
  timer_.mark(3, stream_);
  stream_.synchronize();
  drain.synchronized();
  call.times = timer_.times();
  if (loaded_->layerTimes() != nullptr) bound.reportLayers();
}

void ContextRunner::shapeOutputs(Call& call) {
  loaded_->forgetErrors();
  DrainOnError const drain(stream_);
  try {
    prepare(*context_, call);
  } catch (...) {
    context_->forgetWhatWasTold();
    throw;
  }
  for (size_t index = 0; index < call.outputShapes.size(); ++index) {
    call.outputShapes[index] = context_->outputShape(index);
  }
}

// The lane to run `call` in; null: in the context that takes all shapes.
GraphLanes::Lane* ContextRunner::laneOf(Call const& call) {
  if (!lanes_.has_value()) return nullptr;
  GraphLanes::Lane* const lane = lanes_->find(call);
  if (lane != nullptr || !lanes_->isWorthIt(call)) return lane;
  try {
    return &lanes_->add(call, makeContext());
  } catch (Error const& error) {
    if (error.code() == ErrorCode::kGpuLost) throw;
    loaded_->graphs()->noteFallback(std::string("no execution context for a graph: ") + error.what());
    lanes_->close();
    return nullptr;
  }
}

void ContextRunner::prepare(BoundContext& bound, Call const& call) {
  if (!bound.tellInputs(call, memory_)) return;
  makeRoom(bound, call);
  bound.tellOutputs(call, memory_);
}

void ContextRunner::makeRoom(BoundContext const& bound, Call const& call) {
  for (size_t index = 0; index < memory_.outputs.size(); ++index) {
    OutputMemory& output = *memory_.outputs[index];
    if (bound.dependsOnData(index)) continue;
    if (output.facts->onHost) {
      call.host->outputs[index].reserve(bytesOf(bound.outputShape(index), output.facts->elementBytes));
    } else {
      size_t const bytes = bound.deviceBytesOfOutput(index);
      if (bytes > output.buffer.capacity() && lanes_.has_value()) {
        lanes_->forgetPlaces();
        context_->forgetWhatWasTold();
      }
      output.buffer.reserve(bytes);
    }
  }
}

void ContextRunner::copyIn(BoundContext const& bound, Call const& call) {
  for (size_t index = 0; index < memory_.inputs.size(); ++index) {
    size_t const bytes = bound.deviceBytesOfInput(index);
    if (bytes == 0) continue;
    InputMemory const& input = *memory_.inputs[index];
    if (call.deviceInputs[index] != nullptr) {
      cuda_.check(
          cuda_.memcpyDtoDAsync(input.buffer.get(), call.deviceInputs[index]->get(), bytes, stream_.get()),
          "cuMemcpyDtoDAsync");
      continue;
    }
    cuda_.check(
        cuda_.memcpyHtoDAsync(input.buffer.get(), call.host->inputs[index].data(), bytes, stream_.get()),
        "cuMemcpyHtoDAsync");
  }
}

void ContextRunner::compute(BoundContext& bound, GraphLanes::Lane* lane) {
  if (lane != nullptr && lane->graph.has_value()) {
    lane->graph->launch(stream_);
    ++loaded_->graphs()->launched;
    return;
  }
  bound.enqueue(memory_);
  if (lane != nullptr) lane->warm = true;
}

// Where it fails, the lane goes on without: its context is as good as any.
void ContextRunner::capture(GraphLanes::Lane& lane) {
  try {
    lane.graph.emplace(Graph::record(cuda_, stream_, [&] { lane.bound->enqueue(memory_); }));
    ++loaded_->graphs()->captured;
  } catch (Error const& error) {
    if (error.code() == ErrorCode::kGpuLost) throw;
    lane.capturable = false;
    loaded_->graphs()->noteFallback(std::string("the capture failed: ") + error.what());
    loaded_->forgetErrors();
  }
}

void ContextRunner::copyOut(BoundContext const& bound, Call& call) {
  // How much there is to copy, is known when it has been computed.
  if (bound.anyDependsOnData()) stream_.synchronize();
  for (size_t index = 0; index < memory_.outputs.size(); ++index) {
    bool const byData = bound.dependsOnData(index);
    if (byData) {
      call.outputShapes[index] = shapeByData(*memory_.outputs[index]);
    } else if (!areEqual(call.outputShapes[index], bound.outputShape(index))) {
      call.outputShapes[index] = bound.outputShape(index);
    }
    if (call.wanted[index] == 0) continue;
    copyOut(index, byData ? bytesByData(*memory_.outputs[index]) : bound.deviceBytesOfOutput(index), call);
  }
}

// Of an output whose shape the data decided.
nvinfer1::Dims const& ContextRunner::shapeByData(OutputMemory const& output) const {
  nvinfer1::Dims const& shape = output.allocator.dims();
  if (!isKnown(shape)) fail("TensorRT gave no shape for output \"" + output.facts->name + "\"");
  return shape;
}

size_t ContextRunner::bytesByData(OutputMemory const& output) const {
  nvinfer1::Dims const& shape = output.allocator.dims();
  size_t const bytes = bytesOf(shape, output.facts->elementBytes);
  if (bytes > output.buffer.capacity()) {
    fail("TensorRT gave output \"" + output.facts->name + "\" a shape larger than the memory it asked for");
  }
  return bytes;
}

void ContextRunner::copyOut(size_t index, size_t bytes, Call& call) {
  OutputMemory const& output = *memory_.outputs[index];
  if (call.toDevice) {
    auto const to = std::make_shared<DeviceMemory>(loaded_->gpu(), loaded_->spare(), bytes);
    call.deviceOutputs[index] = to;
    if (bytes == 0) return;
    cuda_.check(cuda_.memcpyDtoDAsync(to->get(), output.buffer.get(), bytes, stream_.get()),
                "cuMemcpyDtoDAsync");
    return;
  }
  PinnedBuffer& to = call.host->outputs[index];
  to.reserve(bytes);
  if (bytes == 0) return;
  cuda_.check(cuda_.memcpyDtoHAsync(to.data(), output.buffer.get(), bytes, stream_.get()),
              "cuMemcpyDtoHAsync");
}

}  // namespace trtnode
