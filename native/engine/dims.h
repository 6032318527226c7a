#pragma once

#include <NvInferRuntime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "loader/error.h"

namespace trtnode {

inline nvinfer1::Dims dimsOf(std::vector<int64_t> const& shape) {
  nvinfer1::Dims dims{};
  if (shape.size() > static_cast<size_t>(nvinfer1::Dims::MAX_DIMS)) {
    throw Error(ErrorCode::kInvalidShapes, "TensorRT takes at most " +
                                               std::to_string(nvinfer1::Dims::MAX_DIMS) +
                                               " dimensions, received " + std::to_string(shape.size()));
  }
  dims.nbDims = static_cast<int32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), dims.d);
  return dims;
}

// A shape that equals none.
inline nvinfer1::Dims unknownDims() {
  nvinfer1::Dims dims{};
  dims.nbDims = -1;
  return dims;
}

inline bool areEqual(nvinfer1::Dims const& a, nvinfer1::Dims const& b) {
  if (a.nbDims != b.nbDims) return false;
  // Not std::equal, which calls memcmp: dearer than the comparison of so few.
  for (int32_t axis = 0; axis < a.nbDims; ++axis) {
    if (a.d[axis] != b.d[axis]) return false;
  }
  return true;
}

inline bool isKnown(nvinfer1::Dims const& dims) {
  return dims.nbDims >= 0 && std::all_of(dims.d, dims.d + dims.nbDims, [](int64_t dim) { return dim >= 0; });
}

inline size_t bytesOf(nvinfer1::Dims const& dims, size_t elementBytes) {
  size_t bytes = elementBytes;
  for (int32_t axis = 0; axis < dims.nbDims; ++axis) bytes *= static_cast<size_t>(dims.d[axis]);
  return bytes;
}

}  // namespace trtnode
