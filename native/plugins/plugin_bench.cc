#include "plugins/plugin_bench.h"

#include <dlfcn.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "engine/dims.h"
#include "loader/error.h"
#include "plugins/bench_device.h"
#include "plugins/tensor_layout.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace trtnode {
namespace {

using namespace nvinfer1;

// Behind every output and the workspace, to see whether a kernel writes past their end.
constexpr size_t kGuardBytes = 1024;
constexpr uint8_t kGuard = 0xa5;
// What outputs hold before: NaN in every floating-point type, so that what is not written is seen.
constexpr uint8_t kUnwritten = 0xff;
constexpr int32_t kWarmUps = 10;

struct TensorType {
  char const* name;
  DataType type;
  size_t bytes;
};
constexpr TensorType kTensorTypes[] = {
    {"float32", DataType::kFLOAT, 4}, {"float16", DataType::kHALF, 2}, {"bfloat16", DataType::kBF16, 2},
    {"int8", DataType::kINT8, 1},     {"uint8", DataType::kUINT8, 1},  {"int32", DataType::kINT32, 4},
    {"int64", DataType::kINT64, 8},   {"bool", DataType::kBOOL, 1},
};

constexpr std::pair<char const*, PluginFieldType> kFieldTypes[] = {
    {"float16", PluginFieldType::kFLOAT16}, {"float32", PluginFieldType::kFLOAT32},
    {"float64", PluginFieldType::kFLOAT64}, {"int8", PluginFieldType::kINT8},
    {"int16", PluginFieldType::kINT16},     {"int32", PluginFieldType::kINT32},
    {"char", PluginFieldType::kCHAR},       {"bfloat16", PluginFieldType::kBF16},
    {"int64", PluginFieldType::kINT64},
};

TensorType const& tensorTypeOf(std::string const& name) {
  for (TensorType const& known : kTensorTypes) {
    if (name == known.name) return known;
  }
  throw Error(ErrorCode::kUnsupported, "TensorRT's plugins take no tensors of type " + name);
}

TensorType const& tensorTypeOf(DataType type) {
  for (TensorType const& known : kTensorTypes) {
    if (type == known.type) return known;
  }
  throw Error(ErrorCode::kUnsupported, "the plugin gives TensorRT's type " +
                                           std::to_string(static_cast<int>(type)) +
                                           ", for which JavaScript has no array");
}

// Hands the library the bench's logger, as TensorRT does for the libraries it keeps in plans.
class LoggerFinder final : public ILoggerFinder {
 public:
  explicit LoggerFinder(Logger& logger) : logger_(logger) {}
  ILogger* findLogger() override { return &logger_; }

 private:
  Logger& logger_;
};

// Chooses the format of each tensor, in TensorRT's order: inputs, then outputs, each asked given those
// before.
class FormatNegotiation {
 public:
  FormatNegotiation(PluginSubject& subject, PluginTensors all, int32_t inputs, TensorFormat wanted)
      : subject_(subject), all_(std::move(all)), inputs_(inputs), wanted_(wanted) {}

  PluginTensors agreed() {
    if (!settle(0)) {
      throw Error(ErrorCode::kPluginFailed, "the plugin takes no combination of formats with " +
                                                std::string(nameOf(wanted_)) + " as the first: it refused " +
                                                refused_);
    }
    return std::move(all_);
  }

 private:
  bool settle(size_t position) {
    if (position == all_.size()) return true;
    for (TensorFormat const format : candidates(position)) {
      all_[position].format = format;
      if (!subject_.supports(static_cast<int32_t>(position), all_, inputs_)) {
        note(position);
      } else if (settle(position + 1)) {
        return true;
      }
    }
    return false;
  }

  // The first input is what was asked for, outputs follow it, side inputs are linear as initializers are.
  std::vector<TensorFormat> candidates(size_t position) const {
    if (position == 0 || wanted_ == TensorFormat::kLINEAR) return {wanted_};
    if (position >= static_cast<size_t>(inputs_)) return {wanted_, TensorFormat::kLINEAR};
    return {TensorFormat::kLINEAR, wanted_};
  }

  void note(size_t position) {
    bool const input = position < static_cast<size_t>(inputs_);
    size_t const number = input ? position : position - static_cast<size_t>(inputs_);
    refused_ = std::string(input ? "input " : "output ") + std::to_string(number) + " as " +
               tensorTypeOf(all_[position].type).name + " in " + nameOf(all_[position].format);
  }

  PluginSubject& subject_;
  PluginTensors all_;
  int32_t inputs_;
  TensorFormat wanted_;
  std::string refused_;
};

// Device memory of a number of bytes with a guard behind, both filled so that what happens to them is seen.
class GuardedMemory {
 public:
  GuardedMemory(BenchDevice& device, size_t bytes) : device_(device), bytes_(bytes) {
    Blob fill(bytes + kGuardBytes);
    std::memset(fill.data.get(), kUnwritten, bytes);
    std::memset(fill.data.get() + bytes, kGuard, kGuardBytes);
    address_ = device.allocate(fill.size);
    device.upload(address_, fill.data.get(), fill.size);
  }
  void* address() const { return address_; }

  Blob content(std::string const& what) const {
    Blob all(bytes_ + kGuardBytes);
    device_.download(all.data.get(), address_, all.size);
    for (size_t i = 0; i < kGuardBytes; ++i) {
      if (all.data[bytes_ + i] == kGuard) continue;
      throw Error(ErrorCode::kPluginFailed, "the plugin wrote past the end of " + what + ": byte " +
                                                std::to_string(i) + " behind its " + std::to_string(bytes_) +
                                                " bytes has changed");
    }
    all.size = bytes_;
    return all;
  }

 private:
  BenchDevice& device_;
  size_t bytes_;
  void* address_;
};

}  // namespace

PluginBench::PluginBench(std::string const& path, std::vector<std::string> const& preload)
    : logger_(Logger::acquire([](LogLevel, std::string const&) {})) {
  for (std::string const& library : preload) {
    if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
      throw Error(ErrorCode::kTensorrtNotFound, "cannot load " + library + ": " + dlerror());
    }
  }
  try {
    library_ = std::make_unique<SharedLibrary>(path);
  } catch (std::runtime_error const& error) {
    throw Error(ErrorCode::kInvalidPlugin, "the plugin library does not load: " + std::string(error.what()),
                "ldd " + path + " lists what it needs and where that is");
  }
  if (auto* const setFinder = library_->optionalFunction<void(ILoggerFinder*)>("setLoggerFinder")) {
    // The library may use it for as long as it lives, which is to the end of the process.
    setFinder(new LoggerFinder(*logger_));
  }
}

std::vector<IPluginCreatorInterface*> PluginBench::all() const {
  int32_t count = 0;
  std::vector<IPluginCreatorInterface*> creators;
  if (auto* const get =
          library_->optionalFunction<IPluginCreatorInterface* const*(int32_t&)>("getCreators")) {
    auto* const* const list = get(count);
    for (int32_t i = 0; list != nullptr && i < count; ++i) creators.push_back(list[i]);
  } else if (auto* const getOld =
                 library_->optionalFunction<IPluginCreator* const*(int32_t&)>("getPluginCreators")) {
    auto* const* const list = getOld(count);
    for (int32_t i = 0; list != nullptr && i < count; ++i) creators.push_back(list[i]);
  }
  if (creators.empty())
    throw Error(ErrorCode::kInvalidPlugin, library_->path() + " gives no plugin creators");
  return creators;
}

std::vector<CreatorInfo> PluginBench::creators() const {
  std::vector<CreatorInfo> result;
  for (IPluginCreatorInterface* creator : all()) {
    CreatorFacts const facts = factsOf(*creator);
    CreatorInfo info{facts.name, facts.version, facts.space, facts.interface, {}};
    int32_t const count = facts.fields == nullptr ? 0 : facts.fields->nbFields;
    for (int32_t i = 0; i < count; ++i) {
      PluginField const& field = facts.fields->fields[i];
      FieldInfo described{field.name == nullptr ? "" : field.name, "unknown", field.length};
      for (auto const& [name, type] : kFieldTypes) {
        if (type == field.type) described.type = name;
      }
      info.fields.push_back(std::move(described));
    }
    result.push_back(std::move(info));
  }
  return result;
}

std::string PluginBench::interfaceOf(size_t creator) const {
  return PluginSubject::create(*all().at(creator), {})->interfaceName();
}

bool PluginBench::emulated() const {
  return library_->optionalFunction<void(uint64_t*)>("emulatorCalls") != nullptr;
}

BenchResult PluginBench::run(BenchRequest const& request) {
  logger_->forgetErrors();
  try {
    return runWith(request);
  } catch (Error const& error) {
    std::string const said = logger_->errors();
    if (said.empty() || error.code() != ErrorCode::kPluginFailed) throw;
    throw Error(error.code(), std::string(error.what()) + ":\n" + said, error.hint());
  }
}

std::unique_ptr<BenchDevice> PluginBench::deviceOf(BenchRequest const& request) const {
  if (emulated()) return emulatedDevice();
  try {
    return gpuDevice(request.device);
  } catch (Error const& error) {
    if (error.code() != ErrorCode::kGpuNotFound) throw;
    throw Error(error.code(), error.what(),
                "without a GPU only an emulated build of a plugin library runs: see docs/plugins.md");
  }
}

BenchResult PluginBench::runWith(BenchRequest const& request) {
  IPluginCreatorInterface* creator = nullptr;
  for (IPluginCreatorInterface* candidate : all()) {
    CreatorFacts const facts = factsOf(*candidate);
    if (facts.name == request.name && facts.version == request.version && facts.space == request.space)
      creator = candidate;
  }
  if (creator == nullptr) {
    throw Error(ErrorCode::kInvalidArgument,
                library_->path() + " has no plugin " + request.name + ", version " + request.version,
                "tensorrt-node plugin inspect " + library_->path());
  }
  std::unique_ptr<BenchDevice> const device = deviceOf(request);

  std::vector<PluginField> fields;
  for (FieldValue const& field : request.fields) {
    auto type = PluginFieldType::kUNKNOWN;
    for (auto const& [name, known] : kFieldTypes) {
      if (field.type == name) type = known;
    }
    fields.emplace_back(field.name.c_str(), field.data.data.get(), type, field.length);
  }
  std::unique_ptr<PluginSubject> const subject =
      PluginSubject::create(*creator, {static_cast<int32_t>(fields.size()), fields.data()});

  PluginTensors inputs;
  for (BenchTensor const& tensor : request.inputs) {
    PluginTensorDesc description{};
    description.dims = dimsOf(tensor.dims);
    description.type = tensorTypeOf(tensor.type).type;
    description.scale = 1.0F;
    inputs.push_back(description);
  }
  int32_t const inputCount = static_cast<int32_t>(inputs.size());
  int32_t const outputCount = subject->outputCount();
  if (outputCount < 1) throw Error(ErrorCode::kPluginFailed, "the plugin has no outputs");
  std::vector<DataType> const types = subject->outputTypes(inputs, outputCount);
  std::vector<Dims> const shapes = subject->outputShapes(inputs, outputCount);
  PluginTensors all = inputs;
  for (int32_t i = 0; i < outputCount; ++i) {
    PluginTensorDesc description{};
    description.dims = shapes[static_cast<size_t>(i)];
    description.type = tensorTypeOf(types[static_cast<size_t>(i)]).type;
    description.scale = 1.0F;
    all.push_back(description);
  }
  all = FormatNegotiation(*subject, std::move(all), inputCount, formatNamed(request.format)).agreed();
  inputs.assign(all.begin(), all.begin() + inputCount);
  PluginTensors const outputs(all.begin() + inputCount, all.end());

  BenchResult result;
  result.interface = subject->interfaceName();
  result.device = device->name();
  subject->configure(inputs, outputs);
  result.workspaceBytes = subject->workspaceBytes(inputs, outputs);
  result.serializedBytes = subject->passThroughPlan();
  subject->prepare(inputs, outputs);

  std::vector<void const*> inputData;
  for (size_t i = 0; i < inputs.size(); ++i) {
    size_t const elementBytes = tensorTypeOf(inputs[i].type).bytes;
    Blob const formatted = toFormat(request.inputs[i].data, inputs[i].dims, elementBytes, inputs[i].format);
    void* const address = device->allocate(formatted.size);
    device->upload(address, formatted.data.get(), formatted.size);
    inputData.push_back(address);
    result.inputFormats.push_back(nameOf(inputs[i].format));
    result.bytesMoved += formatted.size;
  }
  std::vector<GuardedMemory> memories;
  std::vector<void*> outputData;
  for (PluginTensorDesc const& output : outputs) {
    size_t const bytes = bytesOf(output.dims, tensorTypeOf(output.type).bytes, output.format);
    outputData.push_back(memories.emplace_back(*device, bytes).address());
    result.outputFormats.push_back(nameOf(output.format));
    result.bytesMoved += bytes;
  }
  GuardedMemory const workspace(*device, result.workspaceBytes);

  auto const enqueue = [&] {
    subject->enqueue(inputs, outputs, inputData.data(), outputData.data(),
                     result.workspaceBytes == 0 ? nullptr : workspace.address(),
                     static_cast<cudaStream_t>(device->stream()));
  };
  auto* const emulatorCalls = library_->optionalFunction<void(uint64_t*)>("emulatorCalls");
  uint64_t before[3] = {}, after[3] = {};
  if (emulatorCalls != nullptr) emulatorCalls(before);
  enqueue();
  if (emulatorCalls != nullptr) {
    emulatorCalls(after);
    for (int i = 0; i < 3; ++i) result.calls.push_back(static_cast<int64_t>(after[i] - before[i]));
  }
  device->synchronize();
  for (size_t i = 0; i < outputs.size(); ++i) {
    TensorType const& type = tensorTypeOf(outputs[i].type);
    Blob const content = memories[i].content("output " + std::to_string(i));
    Dims const& dims = outputs[i].dims;
    result.outputs.push_back({type.name,
                              {dims.d, dims.d + dims.nbDims},
                              fromFormat(content, dims, type.bytes, outputs[i].format)});
  }
  workspace.content("its workspace");

  if (request.iterations > 0) {
    device->time(kWarmUps, enqueue);
    result.milliseconds = device->time(request.iterations, enqueue);
    result.peakBandwidth = device->peakBandwidth();
  }
  return result;
}

}  // namespace trtnode
