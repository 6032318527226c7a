#include "kernel.h"

#include "kernel.cuh"

namespace tensorrt_node {
namespace {

template <class T>
cudaError_t launchAs(PreluArguments const& a, cudaStream_t stream) {
  PreluWork<T> const work{static_cast<T const*>(a.x), static_cast<T const*>(a.slope), static_cast<T*>(a.y),
                          a.dims.count()};
  return launchPrelu(work, slopePattern(a.dims, a.slopeDims), stream);
}

cudaError_t launchHwc8(PreluArguments const& a, cudaStream_t stream) {
  auto const* const x = static_cast<__half const*>(a.x);
  auto const* const slope = static_cast<__half const*>(a.slope);
  auto* const y = static_cast<__half*>(a.y);
  auto const channels = static_cast<int>(a.dims.extent[1]);
  int64_t const pixels = channels == 0 ? 0 : a.dims.count() / channels;
  if (a.slopeDims.count() != 1) return launchPreluHwc8(x, slope, y, pixels, channels, stream);
  PreluWork<__half> const work{x, slope, y, pixels * ((channels + 7) / 8 * 8)};
  return launchPrelu(work, slopePattern({work.count}, {1}), stream);
}

}  // namespace

bool slopeFits(Shape const& dims, Shape const& slopeDims) {
  if (slopeDims.count() == 1) return true;
  Shape const slope = alignedSlope(dims, slopeDims);
  for (int d = 0; d < slope.rank; ++d) {
    bool const unknown = dims.extent[d] < 0 || slope.extent[d] < 0;
    if (!unknown && slope.extent[d] != 1 && slope.extent[d] != dims.extent[d]) return false;
  }
  return slope.rank > 0;
}

bool slopeIsByChannel(Shape const& dims, Shape const& slopeDims) {
  if (slopeDims.count() == 1) return true;
  // [C] alone is by channel only where the last dimension is known to be something else.
  if (dims.rank < 3 || (slopeDims.rank == 1 && dims.back() < 0)) return false;
  Shape const slope = alignedSlope(dims, slopeDims);
  return slope.rank > 0 && slope.extent[1] == dims.extent[1] && slopeDims.count() == slope.extent[1];
}

cudaError_t launchPrelu(PreluArguments const& arguments, cudaStream_t stream) {
  if (arguments.channelsLast) return launchHwc8(arguments, stream);
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
