// TensorRT's headers, and what differs between their versions. 8.5 and 8.6 have no IPluginV3, no bf16 and
// 32-bit dimensions; nothing else here asks for a version.
#pragma once

#include <NvInfer.h>

#include <cstdint>
#include <string>
#include <vector>

#include "types.h"

namespace tensorrt_node {

#if NV_TENSORRT_MAJOR >= 10
#define TENSORRT_NODE_HAS_PLUGIN_V3 1
using CreatorBase = nvinfer1::IPluginCreatorInterface;
using TensorName = nvinfer1::AsciiChar;
constexpr auto kBFloat16 = nvinfer1::DataType::kBF16;
constexpr auto kFieldBFloat16 = nvinfer1::PluginFieldType::kBF16;
constexpr auto kFieldInt64 = nvinfer1::PluginFieldType::kINT64;
#else
#define TENSORRT_NODE_HAS_PLUGIN_V3 0
using CreatorBase = nvinfer1::IPluginCreator;
using TensorName = nvinfer1::AsciiChar;
// The numbers of later versions: no 8.x hands them out, and none is then equal to them.
constexpr auto kBFloat16 = static_cast<nvinfer1::DataType>(7);
constexpr auto kFieldBFloat16 = static_cast<nvinfer1::PluginFieldType>(9);
constexpr auto kFieldInt64 = static_cast<nvinfer1::PluginFieldType>(10);
#endif

inline Shape shapeOf(nvinfer1::Dims const& dims) {
  Shape shape;
  for (int32_t d = 0; d < dims.nbDims; ++d) shape.extent[shape.rank++] = dims.d[d];
  return shape;
}

inline bool isElementType(nvinfer1::DataType type) {
  return type == nvinfer1::DataType::kFLOAT || type == nvinfer1::DataType::kHALF || type == kBFloat16;
}

/** Of a type that `isElementType`. */
inline ElementType elementType(nvinfer1::DataType type) {
  if (type == nvinfer1::DataType::kHALF) return ElementType::kFloat16;
  return type == kBFloat16 ? ElementType::kBFloat16 : ElementType::kFloat32;
}

/** `[2, 3, 4]`, for messages. */
std::string describe(Shape const& shape);

}  // namespace tensorrt_node
