// The kernels of LayerNorm as the operator calls them: one function, whatever the type.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "../common/types.h"

namespace tensorrt_node {

/** `rows` × `columns` contiguous elements of `type`; `scale` and `bias` are of that type and have `columns`.
 */
struct LayerNormArguments {
  ElementType type;
  void const* x;
  void const* scale;
  /** May be null, as may the two outputs after y, of `rows` fp32. */
  void const* bias;
  void* y;
  float* mean;
  float* inverseDeviation;
  int64_t rows;
  int32_t columns;
  float epsilon;
};

cudaError_t launchLayerNorm(LayerNormArguments const& arguments, cudaStream_t stream);

}  // namespace tensorrt_node
