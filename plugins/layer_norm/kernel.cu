#include "kernel.h"

#include "kernel.cuh"

namespace tensorrt_node {
namespace {

template <class T>
cudaError_t launchAs(LayerNormArguments const& a, cudaStream_t stream) {
  return launchLayerNorm(LayerNormWork<T>{static_cast<T const*>(a.x), static_cast<T const*>(a.scale),
                                          static_cast<T const*>(a.bias), static_cast<T*>(a.y), a.mean,
                                          a.inverseDeviation, a.rows, a.columns, a.epsilon},
                         stream);
}

}  // namespace

cudaError_t launchLayerNorm(LayerNormArguments const& arguments, cudaStream_t stream) {
  switch (arguments.type) {
    case ElementType::kFloat32:
      return launchAs<float>(arguments, stream);
    case ElementType::kFloat16:
      return launchAs<__half>(arguments, stream);
    case ElementType::kBFloat16:
      return launchAs<__nv_bfloat16>(arguments, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace tensorrt_node
