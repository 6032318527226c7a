#pragma once

// Everything in which the families of TensorRT differ, and the only place that asks which one this is. Each
// addon is compiled against the headers of one family (CMakeLists.txt sets the TENSORRT_NODE_FAMILY_… macro).
//
// Which options a family refuses, and why, stands in src/backends/tensorrt/family-options.ts; what arrives
// here has passed that table.

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/build_request.h"
#include "loader/error.h"

namespace trtnode::family {

#if defined(TENSORRT_NODE_FAMILY_RTX)

inline constexpr char kName[] = "rtx";
inline constexpr uint64_t kTag = 0x727478;  // of handles: the name in ASCII
inline constexpr char kProduct[] = "TensorRT-RTX";
// TensorRT-RTX compiles on the CPU, for GPUs that need not be here.
inline constexpr bool kBuildsWithoutGpu = true;
// 1.5 took virtual functions out of the middle of its interfaces (IBuilder has 19 of them in 1.3 and 1.4, 16
// from 1.5 to 1.7), so that code compiled against later headers calls others in an earlier library.
inline constexpr int32_t kOldestMinor = 5;
inline constexpr int32_t kMemorySizesSince = 5;
inline constexpr int32_t kEngineStatSince = 5;

// RTX networks are always strongly typed.
inline uint32_t networkFlags(BuildSettings const&) {
  return 0;
}

inline bool setPrecision(nvinfer1::IBuilderConfig&, BuildSettings const&) {
  return true;
}

inline nvinfer1::TacticSources tacticSource(std::string const& name) {
  using nvinfer1::TacticSource;
  TacticSource const source = name == "edge-mask-convolutions" ? TacticSource::kEDGE_MASK_CONVOLUTIONS
                                                               : TacticSource::kJIT_CONVOLUTIONS;
  return 1U << static_cast<uint32_t>(source);
}

// `capabilities` as "8.9"; empty: the GPU at hand.
inline bool setComputeCapabilities(nvinfer1::IBuilderConfig& config,
                                   std::vector<std::string> const& capabilities) {
  using nvinfer1::ComputeCapability;
  if (capabilities.empty()) {
    return config.setNbComputeCapabilities(1) && config.setComputeCapability(ComputeCapability::kCURRENT, 0);
  }
  bool accepted = config.setNbComputeCapabilities(static_cast<int32_t>(capabilities.size()));
  int32_t index = 0;
  for (std::string text : capabilities) {
    text.erase(text.find('.'), 1);
    accepted =
        accepted && config.setComputeCapability(static_cast<ComputeCapability>(std::stoi(text)), index++);
  }
  return accepted;
}

// RTX has no timing caches: its kernels are compiled where the engine runs.
struct TimingCache {
  static std::unique_ptr<TimingCache> install(nvinfer1::IBuilderConfig&, std::vector<char> const&) {
    throw Error(ErrorCode::kUnsupported, "TensorRT-RTX has no timing cache");
  }
  void merge(nvinfer1::IBuilderConfig&, std::vector<char> const&) {}
  std::unique_ptr<nvinfer1::IHostMemory> serialize() const { return nullptr; }
};

#else

#if defined(TENSORRT_NODE_FAMILY_TRT10)
inline constexpr char kName[] = "trt10";
inline constexpr uint64_t kTag = 0x7472743130;
#elif defined(TENSORRT_NODE_FAMILY_TRT11)
inline constexpr char kName[] = "trt11";
inline constexpr uint64_t kTag = 0x7472743131;
#else
#error "define TENSORRT_NODE_FAMILY_RTX, TENSORRT_NODE_FAMILY_TRT10 or TENSORRT_NODE_FAMILY_TRT11"
#endif
inline constexpr char kProduct[] = "TensorRT";
inline constexpr bool kBuildsWithoutGpu = false;
// Within a major version, interfaces grow at their end only.
inline constexpr int32_t kOldestMinor = 0;
#if defined(TENSORRT_NODE_FAMILY_TRT10)
// The minor versions that these came with (NvInferImpl.h): getDeviceMemorySizeForProfileV2, and
// getEngineStat.
inline constexpr int32_t kMemorySizesSince = 1;
inline constexpr int32_t kEngineStatSince = 11;
#else
inline constexpr int32_t kMemorySizesSince = 0;
inline constexpr int32_t kEngineStatSince = 0;
#endif

inline bool setComputeCapabilities(nvinfer1::IBuilderConfig&, std::vector<std::string> const& capabilities) {
  return capabilities.empty();
}

// The builder's measurements of kernels, kept between builds.
class TimingCache {
 public:
  // Gives `config` a cache that begins with `content`, or an empty one where TensorRT does not take that.
  static std::unique_ptr<TimingCache> install(nvinfer1::IBuilderConfig& config,
                                              std::vector<char> const& content) {
    auto cache = create(config, content);
    if (cache == nullptr || !config.setTimingCache(*cache, /*ignoreMismatch=*/false)) {
      cache = create(config, {});
      if (cache == nullptr || !config.setTimingCache(*cache, false)) {
        throw Error(ErrorCode::kBuildFailed, "TensorRT did not take a timing cache");
      }
    }
    return std::unique_ptr<TimingCache>(new TimingCache(std::move(cache)));
  }

  // Adds what another build wrote in the meantime.
  void merge(nvinfer1::IBuilderConfig& config, std::vector<char> const& content) {
    auto const other = create(config, content);
    if (other != nullptr) cache_->combine(*other, /*ignoreMismatch=*/false);
  }

  std::unique_ptr<nvinfer1::IHostMemory> serialize() const {
    return std::unique_ptr<nvinfer1::IHostMemory>(cache_->serialize());
  }

 private:
  using Cache = std::unique_ptr<nvinfer1::ITimingCache>;
  explicit TimingCache(Cache cache) : cache_(std::move(cache)) {}

  static Cache create(nvinfer1::IBuilderConfig& config, std::vector<char> const& content) {
    return Cache(config.createTimingCache(content.empty() ? nullptr : content.data(), content.size()));
  }

  Cache cache_;
};

#if defined(TENSORRT_NODE_FAMILY_TRT10)

// The flags are deprecated since 10.12, and the only way to fp16 for a model without types of its own.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

inline uint32_t networkFlags(BuildSettings const& settings) {
  using Flag = nvinfer1::NetworkDefinitionCreationFlag;
  return settings.stronglyTyped.value_or(false) ? 1U << static_cast<uint32_t>(Flag::kSTRONGLY_TYPED) : 0U;
}

// Whether TensorRT took it.
inline bool setPrecision(nvinfer1::IBuilderConfig& config, BuildSettings const& settings) {
  bool const fp16 = settings.fp16.value_or(false);
  bool const bf16 = settings.bf16.value_or(false);
  if (fp16) config.setFlag(nvinfer1::BuilderFlag::kFP16);
  if (bf16) config.setFlag(nvinfer1::BuilderFlag::kBF16);
  return config.getFlag(nvinfer1::BuilderFlag::kFP16) == fp16 &&
         config.getFlag(nvinfer1::BuilderFlag::kBF16) == bf16;
}

inline nvinfer1::TacticSources tacticSource(std::string const& name) {
  using nvinfer1::TacticSource;
  TacticSource source = TacticSource::kJIT_CONVOLUTIONS;
  if (name == "cublas") source = TacticSource::kCUBLAS;
  if (name == "cublas-lt") source = TacticSource::kCUBLAS_LT;
  if (name == "cudnn") source = TacticSource::kCUDNN;
  if (name == "edge-mask-convolutions") source = TacticSource::kEDGE_MASK_CONVOLUTIONS;
  return 1U << static_cast<uint32_t>(source);
}

#pragma GCC diagnostic pop

#else

// TensorRT 11 networks are always strongly typed.
inline uint32_t networkFlags(BuildSettings const&) {
  return 0;
}

inline bool setPrecision(nvinfer1::IBuilderConfig&, BuildSettings const&) {
  return true;
}

inline nvinfer1::TacticSources tacticSource(std::string const& name) {
  using nvinfer1::TacticSource;
  TacticSource const source = name == "edge-mask-convolutions" ? TacticSource::kEDGE_MASK_CONVOLUTIONS
                                                               : TacticSource::kJIT_CONVOLUTIONS;
  return 1U << static_cast<uint32_t>(source);
}

#endif
#endif

}  // namespace trtnode::family
