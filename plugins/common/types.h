// Types and shapes as kernels know them: without TensorRT, so that one compilation serves every version of
// it.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace tensorrt_node {

enum class ElementType { kFloat32, kFloat16, kBFloat16 };

constexpr int kMaxRank = 8;

/** Dimensions, outermost first. -1 is one that is not known yet. */
struct Shape {
  int rank = 0;
  int64_t extent[kMaxRank] = {};

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents) {
    for (int64_t value : extents) extent[rank++] = value;
  }

  int64_t count() const {
    int64_t product = 1;
    for (int d = 0; d < rank; ++d) product *= extent[d];
    return product;
  }
  int64_t back() const { return extent[rank - 1]; }
};

}  // namespace tensorrt_node
