// Stand-in for tests: the execution context of the TensorRT double.
#include <chrono>
#include <thread>

#include "runtime.h"

namespace trt_double {
namespace {

/** TRT_DOUBLE_IDLE: see native/test/README.md. */
bool const idle = settingNumber("TRT_DOUBLE_IDLE", 0) != 0;

/** Notes where two threads use one context at once, which TensorRT documents as undefined. */
class Use {
 public:
  explicit Use(std::atomic<int>& users) : users_(users) {
    if (users_.fetch_add(1) > 0) misuse("IExecutionContext: used by two threads at once");
  }
  ~Use() { --users_; }

 private:
  std::atomic<int>& users_;
};

CUstream asDriver(cudaStream_t stream) {
  return reinterpret_cast<CUstream>(stream);
}

}  // namespace

/** One output's computation, queued on a stream. Device operands lie in `ranges`, host ones are known
 * already. */
struct ExecutionContextDouble::Run {
  RuleSpec rule;
  Operands operands;
  long sleepMs;
  std::vector<TrtDoubleRange> ranges;
  // Which of the ranges is what; -1: on the host, or not there.
  int first = -1, second = -1, result = -1;
  std::shared_ptr<std::atomic<int>> pending;
  /** Of a captured one: the context's changes now, and how many there were when it was captured. */
  std::shared_ptr<std::atomic<int>> changes;
  int changesThen = 0;
  /** Where the number of elements goes, of an output whose shape depends on the data. */
  std::shared_ptr<size_t> count;
  std::vector<unsigned char> scratch;
  /** Work of the engine that is under way; not counted while it only is in a graph. */
  std::shared_ptr<std::atomic<int>> busy;

  ~Run() {
    if (pending) --*pending;
    if (busy) --*busy;
  }
};

ExecutionContextDouble::ExecutionContextDouble(Factory& engineFactory, EngineDouble& engine,
                                               nvinfer1::ILogger& logger, CudaHooks const& cuda,
                                               CUdeviceptr scratch)
    : product_(engineFactory), engine_(engine), logger_(logger), cuda_(cuda), scratch_(scratch) {
  ++engine_.contexts_;
  for (TensorSpec const& tensor : engine.spec().tensors) {
    if (tensor.input && !isDynamic(tensor.shape)) shapes_[tensor.name] = tensor.shape;
  }
}

ExecutionContextDouble::~ExecutionContextDouble() noexcept {
  --engine_.contexts_;
  if (*pending_ > 0) misuse("~IExecutionContext: its work is still queued");
  if (users_ > 0) misuse("~IExecutionContext: another thread is using it");
  if (scratch_ != 0) cuda_.release("~IExecutionContext", scratch_);
}

void ExecutionContextDouble::noteChange() {
  ++*changes_;
  warm_ = false;
}

void ExecutionContextDouble::setDeviceMemoryV2(void* memory, int64_t size) noexcept {
  Use const use(users_);
  noteChange();
  if (scratch_ != 0) misuse("IExecutionContext::setDeviceMemoryV2: the context has memory of its own");
  usersScratch_ = {reinterpret_cast<CUdeviceptr>(memory), static_cast<size_t>(size)};
}

bool ExecutionContextDouble::refuse(std::string const& why) const {
  logError(logger_, "IExecutionContext: Error Code 3: API Usage Error (" + why + ")");
  return false;
}

bool ExecutionContextDouble::setOptimizationProfileAsync(int32_t profile, cudaStream_t) noexcept {
  Use const use(users_);
  if (injected(logger_, "IExecutionContext::setOptimizationProfileAsync")) return false;
  if (profile < 0 || profile >= engine_.getNbOptimizationProfiles())
    return refuse("profile index out of range");
  noteChange();
  profile_ = profile;
  for (TensorSpec const& tensor : engine_.spec().tensors) {
    if (tensor.input && isDynamic(tensor.shape)) shapes_.erase(tensor.name);
  }
  return true;
}

bool ExecutionContextDouble::setInputShape(char const* name, nvinfer1::Dims const& dims) noexcept {
  Use const use(users_);
  if (injected(logger_, "IExecutionContext::setInputShape")) return false;
  TensorSpec const* tensor = engine_.spec().find(name);
  if (!tensor || !tensor->input) return refuse(std::string("no input ") + name);
  std::vector<int64_t> const shape = fromDims(dims);
  auto const& ranges = engine_.spec().profiles[static_cast<size_t>(profile_)];
  auto found = ranges.find(name);
  RangeSpec const range =
      found == ranges.end() ? RangeSpec{tensor->shape, tensor->shape, tensor->shape} : found->second;
  bool fits = shape.size() == tensor->shape.size() && shape.size() == range.min.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    fits = shape[i] >= range.min[i] && shape[i] <= range.max[i] &&
           (tensor->shape[i] < 0 || shape[i] == tensor->shape[i]);
  }
  if (!fits)
    return refuse(std::string("shape of ") + name + " is not within optimization profile " +
                  std::to_string(profile_));
  noteChange();
  shapes_[name] = shape;
  return true;
}

std::vector<int64_t> ExecutionContextDouble::outputShape(TensorSpec const& output) const {
  RuleSpec const& rule = engine_.spec().rules.at(output.name);
  if (dependsOnData(rule)) return {-1};
  std::string const* source = rule.of.empty() ? nullptr : &rule.of.front();
  std::vector<int64_t> shape = output.shape;
  if (!source) return shape;
  auto known = shapes_.find(*source);
  if (known == shapes_.end()) return shape;
  if (rule.op == "shrink") {
    shape = known->second;
    shape[0] = static_cast<int64_t>(rule.factor) - shape[0];
    return shape;
  }
  if (rule.op != "zero") return known->second;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0) shape[i] = i < known->second.size() ? known->second[i] : 1;
  }
  return shape;
}

nvinfer1::Dims ExecutionContextDouble::getTensorShape(char const* name) const noexcept {
  Use const use(users_);
  TensorSpec const* tensor = engine_.spec().find(name);
  if (!tensor) return noDims();
  if (!tensor->input) return toDims(outputShape(*tensor));
  auto known = shapes_.find(name);
  return toDims(known == shapes_.end() ? tensor->shape : known->second);
}

bool ExecutionContextDouble::allInputDimensionsSpecified() const noexcept {
  for (TensorSpec const& tensor : engine_.spec().tensors) {
    if (tensor.input && !shapes_.count(tensor.name)) return false;
  }
  return true;
}

int32_t ExecutionContextDouble::inferShapes(int32_t maxNames, char const** names) noexcept {
  Use const use(users_);
  int32_t missing = 0;
  for (TensorSpec const& tensor : engine_.spec().tensors) {
    if (!tensor.input || shapes_.count(tensor.name)) continue;
    if (names && missing < maxNames) names[missing] = tensor.name.c_str();
    ++missing;
  }
  return missing;
}

bool ExecutionContextDouble::bind(char const* function, char const* name, void const* data, bool input,
                                  bool output) {
  Use const use(users_);
  if (injected(logger_, function)) return false;
  TensorSpec const* tensor = engine_.spec().find(name);
  if (!tensor || !(tensor->input ? input : output))
    return refuse(std::string(function) + ": no such tensor: " + name);
  if (!tensor->host && reinterpret_cast<uintptr_t>(data) % 256 != 0) {
    return refuse(std::string(function) + ": the address must be aligned to 256 bytes");
  }
  noteChange();
  addresses_[name] = const_cast<void*>(data);
  return true;
}

bool ExecutionContextDouble::setTensorAddress(char const* name, void* data) noexcept {
  return bind("IExecutionContext::setTensorAddress", name, data, true, true);
}

bool ExecutionContextDouble::setInputTensorAddress(char const* name, void const* data) noexcept {
  return bind("IExecutionContext::setInputTensorAddress", name, data, true, false);
}

bool ExecutionContextDouble::setOutputTensorAddress(char const* name, void* data) noexcept {
  return bind("IExecutionContext::setOutputTensorAddress", name, data, false, true);
}

void const* ExecutionContextDouble::getTensorAddress(char const* name) const noexcept {
  auto found = addresses_.find(name);
  return found == addresses_.end() ? nullptr : found->second;
}

bool ExecutionContextDouble::setOutputAllocator(char const* name,
                                                nvinfer1::IOutputAllocator* allocator) noexcept {
  Use const use(users_);
  if (injected(logger_, "IExecutionContext::setOutputAllocator")) return false;
  TensorSpec const* tensor = engine_.spec().find(name);
  if (!tensor || tensor->input) return refuse(std::string("no output ") + name);
  noteChange();
  allocators_[name] = allocator;
  return true;
}

bool ExecutionContextDouble::enqueueV3(cudaStream_t stream) noexcept {
  if (idle) return true;
  Use const use(users_);
  if (injected(logger_, "IExecutionContext::enqueueV3")) return false;
  for (TensorSpec const& tensor : engine_.spec().tensors) {
    if (tensor.input && !shapes_.count(tensor.name))
      return refuse("the shape of input " + tensor.name + " is not set");
    bool const allocates = !tensor.input && allocators_[tensor.name] != nullptr;
    if (!allocates && !addresses_[tensor.name])
      return refuse("the address of " + tensor.name + " is not set");
  }
  if (scratch_ == 0 && usersScratch_.bytes < static_cast<size_t>(engine_.getDeviceMemorySizeV2()))
    return refuse("too little device memory was set");
  if (!warm_ && cuda_.capturing(asDriver(stream)))
    return refuse("captured before an enqueue had done the work that was deferred");
  for (TensorSpec const& tensor : engine_.spec().tensors) {
    if (!tensor.input && !enqueueOutput(tensor, stream)) return false;
  }
  warm_ = true;
  return true;
}

bool ExecutionContextDouble::reportToProfiler() const noexcept {
  Use const use(users_);
  if (injected(logger_, "IExecutionContext::reportToProfiler")) return false;
  if (profiler_ == nullptr || enqueueEmitsProfile_) return false;
  float time = 0.5F;
  for (auto const& [output, rule] : engine_.spec().rules)
    profiler_->reportLayerTime(output.c_str(), time *= 2);
  return true;
}

bool ExecutionContextDouble::enqueueOutput(TensorSpec const& output, cudaStream_t stream) {
  RuleSpec const& rule = engine_.spec().rules.at(output.name);
  auto run = std::make_unique<Run>();
  run->rule = rule;
  if (rule.op == "scaleBy")
    run->rule.factor = static_cast<double>(engine_.factors().at("factor:" + output.name));
  run->sleepMs = engine_.spec().runMs;
  run->operands = {output.type, 0, nullptr, nullptr, nullptr};
  auto const place = [&](TensorSpec const& tensor, size_t bytes, unsigned char const** host) {
    void* address = addresses_[tensor.name];
    if (tensor.host) {
      *host = static_cast<unsigned char*>(address);
      return -1;
    }
    run->ranges.push_back({reinterpret_cast<CUdeviceptr>(address), bytes});
    return static_cast<int>(run->ranges.size()) - 1;
  };
  auto const operand = [&](size_t index, unsigned char const** host) {
    if (index >= rule.of.size()) return -1;
    TensorSpec const& tensor = *engine_.spec().find(rule.of[index]);
    return place(tensor, bytesOf(tensor.type, shapes_[tensor.name]), host);
  };
  run->first = operand(0, &run->operands.first);
  run->second = operand(1, &run->operands.second);

  nvinfer1::IOutputAllocator* allocator = allocators_[output.name];
  std::vector<int64_t> shape = outputShape(output);
  size_t elements = 1;
  for (int64_t dim : dependsOnData(rule) ? shapes_[rule.of.front()] : shape)
    elements *= static_cast<size_t>(dim);
  run->operands.elements = elements;

  if (dependsOnData(rule)) {
    if (!allocator)
      return refuse("output " + output.name + " has a shape that depends on data, and no allocator");
    // Computed once to learn the shape, as TensorRT waits within enqueueV3 for it, then written to its place.
    auto counting = std::make_unique<Run>(*run);
    auto const count = std::make_shared<size_t>(0);
    counting->count = count;
    counting->scratch.resize(elements * bytesOf(output.type) + 1);
    if (!submit(std::move(counting), asDriver(stream))) return false;
    if (cuda_.synchronize("IExecutionContext::enqueueV3 (shape)", asDriver(stream)) != CUDA_SUCCESS) {
      return refuse("the stream failed");
    }
    shape = {static_cast<int64_t>(*count)};
  }
  if (allocator) {
    size_t const bytes = bytesOf(output.type, shape);
    void* memory =
        allocator->reallocateOutputAsync(output.name.c_str(), addresses_[output.name], bytes, 256, stream);
    if (!memory) return refuse("the allocator of output " + output.name + " gave no memory");
    addresses_[output.name] = memory;
    allocator->notifyShape(output.name.c_str(), toDims(shape));
  }
  unsigned char const* hostResult = nullptr;
  run->result = place(output, bytesOf(output.type, shape), &hostResult);
  run->operands.result = const_cast<unsigned char*>(hostResult);
  return submit(std::move(run), asDriver(stream));
}

bool ExecutionContextDouble::submit(std::unique_ptr<Run> run, CUstream stream) {
  run->pending = pending_;
  if (scratch_ == 0) run->ranges.push_back(usersScratch_);
  if (!cuda_.capturing(stream)) {
    run->busy = engine_.sharedBusy();
    ++*run->busy;
  } else {
    run->changes = changes_;
    run->changesThen = *changes_;
  }
  ++*pending_;
  Run* const raw = run.release();
  CUresult const result = cuda_.enqueue(
      "IExecutionContext::enqueueV3 (work)", stream, raw->ranges.data(), raw->ranges.size(),
      [](void* argument, unsigned char* const* ranges) {
        Run& work = *static_cast<Run*>(argument);
        if (work.changes && *work.changes != work.changesThen)
          misuse("cuGraphLaunch: the execution context was changed since the graph was captured");
        if (work.sleepMs > 0) std::this_thread::sleep_for(std::chrono::milliseconds(work.sleepMs));
        if (work.first >= 0) work.operands.first = ranges[work.first];
        if (work.second >= 0) work.operands.second = ranges[work.second];
        if (work.result >= 0) work.operands.result = ranges[work.result];
        if (work.count) work.operands.result = work.scratch.data();
        size_t const written = compute(work.rule, work.operands);
        if (work.count) *work.count = written;
        return static_cast<int>(CUDA_SUCCESS);
      },
      raw, [](void* argument) { delete static_cast<Run*>(argument); });
  return result == CUDA_SUCCESS || refuse("CUDA error " + std::to_string(result) + " while enqueueing");
}

}  // namespace trt_double
