#include "engine/builder.h"

#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "cuda/device_info.h"
#include "cuda/primary_context.h"
#include "engine/dims.h"
#include "engine/files.h"
#include "engine/network_facts.h"
#include "engine/onnx_errors.h"
#include "engine/plugin_library.h"
#include "engine/tensorrt_family.h"
#include "loader/nvinfer_api.h"

namespace trtnode {
namespace {

using nvinfer1::BuilderFlag;
using nvinfer1::IBuilderConfig;

[[noreturn]] void fail(Logger const& logger, std::string const& what, std::string const& hint = {}) {
  std::string const errors = logger.errors();
  throw Error(speaksOfMemory(errors) ? ErrorCode::kOutOfMemory : ErrorCode::kBuildFailed,
              what + (errors.empty() ? ", and gave no reason" : ":\n" + errors), hint);
}

// TensorRT's setters give nothing back: it logs that it does not take a setting, and goes on without it.
void requireTaken(bool taken, std::string const& what) {
  if (!taken) throw Error(ErrorCode::kUnsupported, std::string(family::kProduct) + " did not take " + what);
}

void setFlag(IBuilderConfig& config, BuilderFlag flag, char const* name, std::optional<bool> const& value) {
  if (!value.has_value()) return;
  if (*value) {
    config.setFlag(flag);
  } else {
    config.clearFlag(flag);
  }
  requireTaken(config.getFlag(flag) == *value, std::string(name) + ": " + (*value ? "true" : "false"));
}

nvinfer1::MemoryPoolType poolOf(std::string const& name) {
  using nvinfer1::MemoryPoolType;
  if (name == "workspace") return MemoryPoolType::kWORKSPACE;
  if (name == "dlaManagedSram") return MemoryPoolType::kDLA_MANAGED_SRAM;
  if (name == "dlaLocalDram") return MemoryPoolType::kDLA_LOCAL_DRAM;
  if (name == "dlaGlobalDram") return MemoryPoolType::kDLA_GLOBAL_DRAM;
  if (name == "tacticDram") return MemoryPoolType::kTACTIC_DRAM;
  if (name == "tacticSharedMemory") return MemoryPoolType::kTACTIC_SHARED_MEMORY;
  throw Error(ErrorCode::kInvalidArgument, "there is no memory pool " + name);
}

nvinfer1::ProfilingVerbosity verbosityOf(std::string const& name) {
  using nvinfer1::ProfilingVerbosity;
  if (name == "none") return ProfilingVerbosity::kNONE;
  if (name == "detailed") return ProfilingVerbosity::kDETAILED;
  return ProfilingVerbosity::kLAYER_NAMES_ONLY;
}

nvinfer1::HardwareCompatibilityLevel hardwareLevelOf(std::string const& name) {
  using nvinfer1::HardwareCompatibilityLevel;
  if (name == "ampere+") return HardwareCompatibilityLevel::kAMPERE_PLUS;
  if (name == "same-compute-capability") return HardwareCompatibilityLevel::kSAME_COMPUTE_CAPABILITY;
  return HardwareCompatibilityLevel::kNONE;
}

void apply(BuildSettings const& settings, IBuilderConfig& config) {
  requireTaken(family::setPrecision(config, settings), "fp16 or bf16");
  setFlag(config, BuilderFlag::kTF32, "tf32", settings.tf32);
  setFlag(config, BuilderFlag::kSPARSE_WEIGHTS, "sparsity", settings.sparsity);
  setFlag(config, BuilderFlag::kVERSION_COMPATIBLE, "versionCompatible", settings.versionCompatible);
  setFlag(config, BuilderFlag::kREFIT, "refittable", settings.refit);
  setFlag(config, BuilderFlag::kREFIT_IDENTICAL, "refittable 'identical'", settings.refitIdentical);
  setFlag(config, BuilderFlag::kSTRIP_PLAN, "stripPlan", settings.stripPlan);
  setFlag(config, BuilderFlag::kWEIGHT_STREAMING, "weightStreaming", settings.weightStreaming);
  if (auto const& level = settings.optimizationLevel) {
    config.setBuilderOptimizationLevel(*level);
    requireTaken(config.getBuilderOptimizationLevel() == *level,
                 "optimizationLevel " + std::to_string(*level));
  }
  if (auto const& streams = settings.maxAuxStreams) {
    config.setMaxAuxStreams(*streams);
    requireTaken(config.getMaxAuxStreams() == *streams, "maxAuxStreams " + std::to_string(*streams));
  }
  if (auto const& name = settings.profilingVerbosity) {
    config.setProfilingVerbosity(verbosityOf(*name));
    requireTaken(config.getProfilingVerbosity() == verbosityOf(*name), "profilingVerbosity " + *name);
  }
  if (auto const& name = settings.hardwareCompatibility) {
    config.setHardwareCompatibilityLevel(hardwareLevelOf(*name));
    requireTaken(config.getHardwareCompatibilityLevel() == hardwareLevelOf(*name),
                 "hardwareCompatibility " + *name);
  }
  for (auto const& [name, bytes] : settings.memoryPools) {
    config.setMemoryPoolLimit(poolOf(name), bytes);
    requireTaken(config.getMemoryPoolLimit(poolOf(name)) == bytes,
                 std::to_string(bytes) + " bytes for " + name);
  }
  if (settings.tacticSources) {
    nvinfer1::TacticSources sources = 0;
    for (std::string const& name : *settings.tacticSources) sources |= family::tacticSource(name);
    if (!config.setTacticSources(sources)) {
      throw Error(ErrorCode::kUnsupported, "this TensorRT does not have all of the tactic sources asked for");
    }
  }
}

bool isDynamic(nvinfer1::Dims const& dims) {
  for (int32_t index = 0; index < dims.nbDims; ++index) {
    if (dims.d[index] < 0) return true;
  }
  return false;
}

void addProfile(nvinfer1::IBuilder& builder, nvinfer1::INetworkDefinition const& network,
                IBuilderConfig& config, Profile const& shapes, Logger const& logger) {
  using nvinfer1::OptProfileSelector;
  nvinfer1::IOptimizationProfile* profile = builder.createOptimizationProfile();  // the builder's own
  if (profile == nullptr) fail(logger, "TensorRT made no optimization profile");
  for (int32_t index = 0; index < network.getNbInputs(); ++index) {
    nvinfer1::ITensor const* input = network.getInput(index);
    if (!isDynamic(input->getDimensions())) continue;
    auto const found = shapes.find(input->getName());
    if (found == shapes.end()) {
      throw Error(ErrorCode::kInvalidShapes,
                  std::string("no shape for the dynamic input \"") + input->getName() + "\"");
    }
    ShapeRange const& range = found->second;
    bool const accepted =
        profile->setDimensions(input->getName(), OptProfileSelector::kMIN, dimsOf(range.min)) &&
        profile->setDimensions(input->getName(), OptProfileSelector::kOPT, dimsOf(range.opt)) &&
        profile->setDimensions(input->getName(), OptProfileSelector::kMAX, dimsOf(range.max));
    if (!accepted)
      fail(logger, std::string("TensorRT refused the shapes of input \"") + input->getName() + "\"");
  }
  if (config.addOptimizationProfile(profile) < 0) fail(logger, "TensorRT refused an optimization profile");
}

void refuseShapeInputs(nvinfer1::INetworkDefinition const& network) {
  for (int32_t index = 0; index < network.getNbInputs(); ++index) {
    nvinfer1::ITensor const* input = network.getInput(index);
    if (!input->isShapeTensor()) continue;
    throw Error(ErrorCode::kUnsupported,
                std::string("input \"") + input->getName() +
                    "\" holds a shape; a range for its values cannot be given yet",
                "make it a constant of the model");
  }
}

bool hasDynamicInput(nvinfer1::INetworkDefinition const& network) {
  for (int32_t index = 0; index < network.getNbInputs(); ++index) {
    if (isDynamic(network.getInput(index)->getDimensions())) return true;
  }
  return false;
}

void parse(BuildRequest const& request, nvonnxparser::IParser& parser,
           nvinfer1::INetworkDefinition const& network, Logger const& logger) {
  bool const parsed = request.modelPath.empty()
                          ? parser.parse(request.modelBytes.data(), request.modelBytes.size())
                          : parser.parseFromFile(request.modelPath.c_str(),
                                                 static_cast<int>(nvinfer1::ILogger::Severity::kWARNING));
  if (!parsed) throw parserError(parser, logger.errors());
  // The parser takes an empty file, and some texts, for a model without nodes.
  if (network.getNbOutputs() == 0) {
    throw Error(ErrorCode::kInvalidModel, "not a sound ONNX model: it has no outputs",
                "check it with onnx.checker, or export it again");
  }
}

Blob copyOf(nvinfer1::IHostMemory const& memory) {
  Blob blob(memory.size());
  std::memcpy(blob.data.get(), memory.data(), memory.size());
  return blob;
}

void chooseTargets(BuildRequest const& request, CudaInfo const& gpus, NetworkFacts const& facts,
                   IBuilderConfig& config, BuildResult& result) {
  std::vector<std::string> targets = request.settings.computeCapabilities;
  if (targets.empty() && gpus.devices.empty()) {
    targets = capabilitiesFor(facts);
    std::string list;
    for (std::string const& target : targets) list += (list.empty() ? "" : ", ") + target;
    result.warnings.push_back("no GPU here: built for every compute capability that suits the model (" +
                              list + ")");
  }
  if (!family::setComputeCapabilities(config, targets)) {
    throw Error(ErrorCode::kUnsupported, std::string(family::kProduct) + " refused the compute capabilities");
  }
  if (targets.empty()) targets.push_back(gpus.devices.front().computeCapability);
  result.computeCapabilities = std::move(targets);
}

// Makes the first GPU the calling thread's, where the build needs it.
void enterContext(std::optional<PrimaryContext>& context, BuildSettings const& settings) {
  try {
    context.emplace(0);
    context->makeCurrent();
  } catch (Error const& error) {
    context.reset();
    // Compiled on the CPU for the GPUs named: one here that is full, or in use by another alone, does not
    // matter.
    if (family::kBuildsWithoutGpu && !settings.computeCapabilities.empty()) return;
    if (error.code() != ErrorCode::kInferenceFailed) throw;
    throw Error(ErrorCode::kBuildFailed, error.what(), error.hint());
  }
}

BuildResult buildWith(BuildRequest const& request, std::atomic<bool> const& cancelled, Logger& logger,
                      ProgressSink progress) {
  NvinferApi const api = NvinferApi::load(request.nvinfer, NV_TENSORRT_MAJOR, family::kOldestMinor);
  OnnxParserApi const parserApi = OnnxParserApi::load(request.onnxParser);
  CudaInfo const gpus = cudaInfo();
  if (!family::kBuildsWithoutGpu) CudaDriver::requireDevice();
  std::optional<PrimaryContext> context;
  if (!gpus.devices.empty()) enterContext(context, request.settings);

  BuildResult result;
  result.version = api.version;
  ProgressMonitor monitor(cancelled, std::move(progress));
  // Each is destroyed before what it was made from.
  std::unique_ptr<nvinfer1::IBuilder> const builder(
      static_cast<nvinfer1::IBuilder*>(api.createBuilder(&logger, NV_TENSORRT_VERSION)));
  if (builder == nullptr) fail(logger, "TensorRT made no builder");
  std::optional<PluginLibraries> plugins;
  if (!request.plugins.empty()) plugins.emplace(builder->getPluginRegistry(), request.plugins, logger);
  std::unique_ptr<nvinfer1::INetworkDefinition> const network(
      builder->createNetworkV2(family::networkFlags(request.settings)));
  if (network == nullptr) fail(logger, "TensorRT made no network");
  std::unique_ptr<nvonnxparser::IParser> const parser(static_cast<nvonnxparser::IParser*>(
      parserApi.createParser(network.get(), &logger, NV_ONNX_PARSER_VERSION)));
  if (parser == nullptr) fail(logger, "TensorRT made no ONNX parser");
  parse(request, *parser, *network, logger);
  if (cancelled.load()) throw Error(ErrorCode::kAborted, "the build was cancelled");

  std::unique_ptr<IBuilderConfig> const config(builder->createBuilderConfig());
  if (config == nullptr) fail(logger, "TensorRT made no configuration");
  config->setProgressMonitor(&monitor);
  apply(request.settings, *config);
  refuseShapeInputs(*network);
  if (hasDynamicInput(*network)) {
    for (Profile const& profile : request.profiles) addProfile(*builder, *network, *config, profile, logger);
  }
  NetworkFacts facts = factsOf(*network);
  chooseTargets(request, gpus, facts, *config, result);
  facts.fp16 = facts.fp16 || request.settings.fp16.value_or(false);
  facts.bf16 = facts.bf16 || request.settings.bf16.value_or(false);
  result.precision = precisionOf(facts);

  std::string const& cachePath = request.settings.timingCache;
  std::unique_ptr<family::TimingCache> cache;
  if (!cachePath.empty()) cache = family::TimingCache::install(*config, readFileIfThere(cachePath));

  std::unique_ptr<nvinfer1::IHostMemory> const plan(builder->buildSerializedNetwork(*network, *config));
  if (cancelled.load()) throw Error(ErrorCode::kAborted, "the build was cancelled");
  if (plan == nullptr) {
    fail(logger, std::string(family::kProduct) + " built no engine",
         result.computeCapabilities.size() > 1
             ? "name the GPUs that you build for, e.g. target: { computeCapabilities: ['8.9'] }"
             : "");
  }
  result.plan = copyOf(*plan);

  if (cache != nullptr) {
    try {
      cache->merge(*config, readFileIfThere(cachePath));
      auto const content = cache->serialize();
      if (content != nullptr) writeFileAtomically(cachePath, content->data(), content->size());
    } catch (Error const& error) {
      // The plan took minutes, and is sound without it.
      result.warnings.push_back(std::string("the timing cache was not kept: ") + error.what());
    }
  }
  return result;
}

}  // namespace

BuildResult build(BuildRequest const& request, std::atomic<bool> const& cancelled, LogSink log,
                  ProgressSink progress) {
  std::shared_ptr<Logger> const logger = Logger::acquire(std::move(log));
  try {
    return buildWith(request, cancelled, *logger, std::move(progress));
  } catch (std::bad_alloc const&) {
    throw Error(ErrorCode::kOutOfMemory, "out of memory while building");
  } catch (Error const&) {
    throw;
  } catch (std::exception const& error) {
    throw Error(ErrorCode::kBuildFailed, std::string("unexpected native error: ") + error.what());
  }
}

}  // namespace trtnode
