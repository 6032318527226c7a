#include "engine/engine_info.h"

#include <algorithm>

#include "engine/tensorrt_family.h"
#include "loader/error.h"

namespace trtnode {
namespace {

constexpr ElementType kElementTypes[] = {
    {nvinfer1::DataType::kFLOAT, "float32", 4}, {nvinfer1::DataType::kHALF, "float16", 2},
    {nvinfer1::DataType::kBF16, "bfloat16", 2}, {nvinfer1::DataType::kFP8, "float8e4m3fn", 1},
    {nvinfer1::DataType::kINT8, "int8", 1},     {nvinfer1::DataType::kUINT8, "uint8", 1},
    {nvinfer1::DataType::kINT32, "int32", 4},   {nvinfer1::DataType::kINT64, "int64", 8},
    {nvinfer1::DataType::kBOOL, "bool", 1},
};

ElementType const& elementTypeOf(nvinfer1::DataType type, char const* tensor) {
  for (ElementType const& known : kElementTypes) {
    if (known.type == type) return known;
  }
  throw Error(ErrorCode::kUnsupported,
              std::string("tensor \"") + tensor + "\" has TensorRT's type " +
                  std::to_string(static_cast<int>(type)) + ", for which JavaScript has no array",
              "cast it in the model");
}

std::vector<int64_t> shapeOf(nvinfer1::Dims const& dims) {
  return {dims.d, dims.d + (dims.nbDims > 0 ? dims.nbDims : 0)};
}

TensorFacts factsOf(nvinfer1::ICudaEngine const& engine, char const* name) {
  if (engine.getTensorFormat(name) != nvinfer1::TensorFormat::kLINEAR) {
    throw Error(ErrorCode::kUnsupported, std::string("tensor \"") + name + "\" is not in the linear layout",
                "build the engine without I/O formats");
  }
  ElementType const& type = elementTypeOf(engine.getTensorDataType(name), name);
  return {name, type.name, shapeOf(engine.getTensorShape(name)), type.bytes,
          engine.getTensorLocation(name) == nvinfer1::TensorLocation::kHOST};
}

ShapeRange rangeOf(nvinfer1::ICudaEngine const& engine, TensorFacts const& input, int32_t profile) {
  using nvinfer1::OptProfileSelector;
  auto const bound = [&](OptProfileSelector selector) {
    nvinfer1::Dims const dims = engine.getProfileShape(input.name.c_str(), profile, selector);
    // A static tensor, and one that holds a shape, has no range of its own.
    return dims.nbDims < 0 ? input.shape : shapeOf(dims);
  };
  return {bound(OptProfileSelector::kMIN), bound(OptProfileSelector::kOPT), bound(OptProfileSelector::kMAX)};
}

}  // namespace

ElementType const* findElementType(std::string const& name) {
  for (ElementType const& known : kElementTypes) {
    if (name == known.name) return &known;
  }
  return nullptr;
}

EngineInfo infoOf(nvinfer1::ICudaEngine const& engine, int32_t minor) {
  EngineInfo info;
  for (int32_t index = 0; index < engine.getNbIOTensors(); ++index) {
    char const* name = engine.getIOTensorName(index);
    bool const input = engine.getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
    (input ? info.inputs : info.outputs).push_back(factsOf(engine, name));
  }
  for (int32_t profile = 0; profile < engine.getNbOptimizationProfiles(); ++profile) {
    Profile ranges;
    for (TensorFacts const& input : info.inputs) ranges[input.name] = rangeOf(engine, input, profile);
    info.profiles.push_back(std::move(ranges));
    if (minor < family::kMemorySizesSince) continue;
    int64_t const bytes = engine.getDeviceMemorySizeForProfileV2(profile);
    if (bytes <= info.activationBytes) continue;
    info.activationBytes = bytes;
    info.heaviestProfile = profile;
  }
  if (minor >= family::kEngineStatSince) {
    info.weightsBytes = engine.getEngineStat(nvinfer1::EngineStat::kTOTAL_WEIGHTS_SIZE);
  }
  return info;
}

std::string largestDimension(EngineInfo const& info) {
  std::string largest;
  double largestRatio = 1;
  auto const profile = static_cast<size_t>(info.heaviestProfile);
  for (auto const& [name, range] : info.profiles[profile]) {
    for (size_t axis = 0; axis < range.max.size(); ++axis) {
      double const ratio =
          static_cast<double>(range.max[axis]) / static_cast<double>(std::max<int64_t>(range.min[axis], 1));
      if (ratio <= largestRatio) continue;
      largestRatio = ratio;
      largest = "an engine built with a smaller maximum than " + std::to_string(range.max[axis]) +
                " for dimension " + std::to_string(axis) + " of \"" + name + "\" in profile " +
                std::to_string(profile);
    }
  }
  return largest.empty() ? "an engine built for smaller inputs" : largest;
}

}  // namespace trtnode
