// The kernels of PReLU as the operator calls them: one function, whatever type and format.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "../common/types.h"

namespace tensorrt_node {

struct PreluArguments {
  ElementType type;
  /** Channels (dimension 1) innermost and padded to a multiple of 8; fp16 only. Otherwise row-major. */
  bool channelsLast;
  void const* x;
  /** Of the same type, row-major. */
  void const* slope;
  void* y;
  Shape dims;
  Shape slopeDims;
};

/** Whether the slope can be laid over such a tensor; a dimension that is not known yet (-1) goes with
 * everything. */
bool slopeFits(Shape const& dims, Shape const& slopeDims);

/** Whether every element of a channel has the same slope, whatever the unknown dimensions turn out to be. */
bool slopeIsByChannel(Shape const& dims, Shape const& slopeDims);

cudaError_t launchPrelu(PreluArguments const& arguments, cudaStream_t stream);

}  // namespace tensorrt_node
