// PReLU: y = x where x is not below zero, slope * x elsewhere; a NaN stays one.
//
// The tensor is one run of elements, whatever its shape. A thread moves 16 bytes of it (a pack) and asks a
// `Slopes` which slope each element has; where an odd number of elements is left, the last thread moves them
// one by one. So x is read once and y written once whatever the planes' size: a pack may straddle planes.
//
// Decisions:
// - One pack a thread and no loop: 32 KB are in flight on an SM of 2,048 threads, the index needs few
// registers.
// - At most 26 registers where models are (one slope, by channel in planes of any size, HWC8), up to 32 where
// slopes change within a pack: an SM hands out 32 a thread to 2,048 threads, so the difference costs nothing.
// An order forced on their loads was tried: 27 to 32 as before, and 36 on sm_120 with 64-bit indices.
// - Slopes come through the read-only cache and are few; only x and y count as traffic.
// - Divisions by what is known at launch are multiplications. Below 2^31 elements in 32 bits, beyond in 64.
// - x and y are not __restrict__: in place is allowed, each thread reads only what it then writes.
#pragma once

#include "../common/device.cuh"
#include "../common/types.h"

namespace tensorrt_node {

/** One slope for all. */
template <class T, class Index>
struct SharedSlope {
  static constexpr bool kOnlyWholePacks = false;
  T const* slope;

  struct Cursor {
    float value;
    __device__ __forceinline__ float next() { return value; }
  };
  __device__ __forceinline__ Cursor from(Index) const { return {toFloat(*slope)}; }
};

/** Slope `i / run % count` for element i, and packs never straddle runs. */
template <class T, class Index>
struct PackedRunSlope {
  static constexpr bool kOnlyWholePacks = false;
  T const* slope;
  FastDivisor<Index> run;
  FastDivisor<Index> count;

  struct Cursor {
    float value;
    __device__ __forceinline__ float next() { return value; }
  };
  __device__ __forceinline__ Cursor from(Index element) const {
    Index const number = run.quotient(element);
    return {toFloat(slope[number - count.quotient(number) * count.divisor])};
  }
};

/** Slope `i / run % count` for element i, and a run is at least a pack long: a pack sees two slopes at most.
 */
template <class T, class Index>
struct LongRunSlope {
  static constexpr bool kOnlyWholePacks = false;
  T const* slope;
  FastDivisor<Index> run;
  FastDivisor<Index> count;

  struct Cursor {
    float value;
    float following;
    Index left;
    unsigned position;
    __device__ __forceinline__ float next() { return position++ < left ? value : following; }
  };
  __device__ __forceinline__ Cursor from(Index element) const {
    Index const number = run.quotient(element);
    Index const current = number - count.quotient(number) * count.divisor;
    Index const following = current + 1 == count.divisor ? 0 : current + 1;
    auto const left = static_cast<Index>(run.divisor - (element - number * run.divisor));
    return {toFloat(slope[current]), toFloat(slope[following]), left, 0};
  }
};

/** Slope `i / run % count` for element i, and runs are short: slopes change within a pack. */
template <class T, class Index>
struct ShortRunSlope {
  static constexpr bool kOnlyWholePacks = false;
  T const* slope;
  FastDivisor<Index> run;
  FastDivisor<Index> count;

  struct Cursor {
    ShortRunSlope const& slopes;
    Index left;
    Index current;
    __device__ __forceinline__ float next() {
      if (left == 0) {
        left = slopes.run.divisor;
        if (++current == slopes.count.divisor) current = 0;
      }
      --left;
      return toFloat(slopes.slope[current]);
    }
  };
  __device__ __forceinline__ Cursor from(Index element) const {
    Index const number = run.quotient(element);
    Index const current = number - count.quotient(number) * count.divisor;
    return {*this, static_cast<Index>(run.divisor - (element - number * run.divisor)), current};
  }
};

/** Channels innermost, a whole number of packs of them (TensorRT's HWC8): slopes come in packs, too. */
template <class T, class Index>
struct ChannelsLastSlope {
  static constexpr bool kOnlyWholePacks = true;
  static constexpr int kElements = kWidestAccess / sizeof(T);
  T const* slope;
  FastDivisor<Index> channels;

  struct Cursor {
    Pack<T, kElements> slopes;
    int position;
    __device__ __forceinline__ float next() { return toFloat(slopes.at[position++]); }
  };
  __device__ __forceinline__ Cursor from(Index element) const {
    Index const channel = element - channels.quotient(element) * channels.divisor;
    Pack<T, kElements> const slopes = *reinterpret_cast<Pack<T, kElements> const*>(slope + channel);
    return {slopes, 0};
  }
};

/** The same with channels padded to whole packs. The padding's slope is 0. */
template <class T, class Index>
struct PaddedChannelsLastSlope {
  static constexpr bool kOnlyWholePacks = true;
  T const* slope;
  FastDivisor<Index> paddedChannels;
  unsigned channels;

  struct Cursor {
    T const* slopes;
    unsigned channel;
    unsigned channels;
    __device__ __forceinline__ float next() {
      unsigned const current = channel++;
      return current < channels ? toFloat(slopes[current]) : 0.0f;
    }
  };
  __device__ __forceinline__ Cursor from(Index element) const {
    Index const pixel = paddedChannels.quotient(element);
    return {slope, static_cast<unsigned>(element - pixel * paddedChannels.divisor), channels};
  }
};

/** Any broadcast: element i has an index in each dimension, innermost first; where the slope has 1, its
 * stride is 0. */
template <class T, class Index>
struct BroadcastSlope {
  static constexpr bool kOnlyWholePacks = false;
  T const* slope;
  int rank;
  FastDivisor<Index> extents[kMaxRank];
  Index strides[kMaxRank];

  struct Cursor {
    BroadcastSlope const& slopes;
    Index element;
    __device__ __forceinline__ float next() {
      Index rest = element++;
      Index offset = 0;
#pragma unroll 1
      for (int d = 0; d < slopes.rank; ++d) {
        Index const quotient = slopes.extents[d].quotient(rest);
        offset += (rest - quotient * slopes.extents[d].divisor) * slopes.strides[d];
        rest = quotient;
      }
      return toFloat(slopes.slope[offset]);
    }
  };
  __device__ __forceinline__ Cursor from(Index element) const { return {*this, element}; }
};

__device__ __forceinline__ float prelu(float value, float slope) {
  return value < 0.0f ? value * slope : value;
}

constexpr int kPreluThreads = 256;

template <class T, int Elements, class Index, class Slopes>
__global__ void __launch_bounds__(kPreluThreads)
    preluKernel(T const* x, T* y, Index count, Slopes const slopes) {
  using P = Pack<T, Elements>;
  Index const pack = static_cast<Index>(blockIdx.x) * kPreluThreads + threadIdx.x;
  Index const first = pack * Elements;
  if (first >= count) return;
  auto cursor = slopes.from(first);
  if (Slopes::kOnlyWholePacks || count - first >= Elements) {
    P values = reinterpret_cast<P const*>(x)[pack];
#pragma unroll
    for (int j = 0; j < Elements; ++j) {
      values.at[j] = fromFloat<T>(prelu(toFloat(values.at[j]), cursor.next()));
    }
    reinterpret_cast<P*>(y)[pack] = values;
  } else {
#pragma unroll 1
    for (Index i = first; i < count; ++i) y[i] = fromFloat<T>(prelu(toFloat(x[i]), cursor.next()));
  }
}

/** How slopes lie over the elements, found from the shapes alone. */
struct SlopePattern {
  enum class Kind { kShared, kRuns, kBroadcast, kUnsupported };
  Kind kind = Kind::kUnsupported;
  /** kRuns: element i has slope `i / run % count`. */
  uint64_t run = 1;
  uint64_t count = 1;
  /** kBroadcast: dimensions, innermost first, with their strides in the slope; neighbours that act alike are
   * one. */
  int rank = 0;
  uint64_t extents[kMaxRank] = {};
  uint64_t strides[kMaxRank] = {};
};

/**
 * The slope's shape with as many dimensions as the tensor's, by ONNX's unidirectional broadcasting: aligned
 * at the right. One number alone that the channels (dimension 1) have and the last dimension has not is by
 * channel: exporters write `[C]` for `[C,1,1]`. Rank 0 where there are too many.
 */
inline Shape alignedSlope(Shape const& dims, Shape const& slope) {
  bool const byChannel = slope.rank == 1 && dims.rank >= 3 && slope.extent[0] != dims.back() &&
                         slope.extent[0] == dims.extent[1];
  Shape aligned;
  int const shift = byChannel ? 1 : dims.rank - slope.rank;
  for (int d = 0; d < -shift; ++d) {
    if (slope.extent[d] != 1) return aligned;
  }
  aligned.rank = dims.rank;
  for (int d = 0; d < dims.rank; ++d) {
    aligned.extent[d] = d >= shift && d - shift < slope.rank ? slope.extent[d - shift] : 1;
  }
  return aligned;
}

inline SlopePattern slopePattern(Shape const& dims, Shape const& slopeDims) {
  SlopePattern pattern;
  auto const slopeSize = static_cast<uint64_t>(slopeDims.count());
  if (slopeSize == 1) {
    pattern.kind = SlopePattern::Kind::kShared;
    return pattern;
  }
  Shape const slope = alignedSlope(dims, slopeDims);
  if (slope.rank == 0) return pattern;
  uint64_t stride = 1;
  for (int d = dims.rank - 1; d >= 0; --d) {
    auto const extent = static_cast<uint64_t>(dims.extent[d]);
    bool const follows = slope.extent[d] == dims.extent[d];
    if (!follows && slope.extent[d] != 1) return pattern;
    if (extent == 1) continue;
    if (pattern.rank > 0 && follows == (pattern.strides[pattern.rank - 1] != 0)) {
      pattern.extents[pattern.rank - 1] *= extent;
    } else {
      pattern.extents[pattern.rank] = extent;
      pattern.strides[pattern.rank++] = follows ? stride : 0;
    }
    if (follows) stride *= extent;
  }
  // [run], count, [outer] is a pattern of runs.
  int const followed = pattern.rank > 0 && pattern.strides[0] == 0 ? 1 : 0;
  if (pattern.rank <= followed + 2) {
    pattern.kind = SlopePattern::Kind::kRuns;
    pattern.run = followed == 1 ? pattern.extents[0] : 1;
    pattern.count = slopeSize;
  } else {
    pattern.kind = SlopePattern::Kind::kBroadcast;
  }
  return pattern;
}

/** One PReLU over `count` elements that lie as `slope` was laid over them. */
template <class T>
struct PreluWork {
  T const* x;
  T const* slope;
  T* y;
  int64_t count;
};

template <int Elements, class Index, class Slopes, class T>
cudaError_t launchPacks(PreluWork<T> const& work, Slopes const& slopes, cudaStream_t stream) {
  uint64_t const packs = (static_cast<uint64_t>(work.count) + Elements - 1) / Elements;
  uint64_t const blocks = (packs + kPreluThreads - 1) / kPreluThreads;
  if (blocks > INT32_MAX) return cudaErrorInvalidConfiguration;
  return launchKernel(preluKernel<T, Elements, Index, Slopes>, dim3(static_cast<unsigned>(blocks)),
                      dim3(kPreluThreads), stream, work.x, work.y, static_cast<Index>(work.count), slopes);
}

template <int Elements, class Index, class T>
cudaError_t launchPattern(PreluWork<T> const& work, SlopePattern const& pattern, cudaStream_t stream) {
  switch (pattern.kind) {
    case SlopePattern::Kind::kShared:
      return launchPacks<Elements, Index>(work, SharedSlope<T, Index>{work.slope}, stream);
    case SlopePattern::Kind::kRuns: {
      FastDivisor<Index> const run(static_cast<Index>(pattern.run));
      FastDivisor<Index> const count(static_cast<Index>(pattern.count));
      if (pattern.run % Elements == 0) {
        return launchPacks<Elements, Index>(work, PackedRunSlope<T, Index>{work.slope, run, count}, stream);
      }
      if (pattern.run >= Elements) {
        return launchPacks<Elements, Index>(work, LongRunSlope<T, Index>{work.slope, run, count}, stream);
      }
      return launchPacks<Elements, Index>(work, ShortRunSlope<T, Index>{work.slope, run, count}, stream);
    }
    case SlopePattern::Kind::kBroadcast: {
      BroadcastSlope<T, Index> slopes{};
      slopes.slope = work.slope;
      slopes.rank = pattern.rank;
      for (int d = 0; d < slopes.rank; ++d) {
        slopes.extents[d] = FastDivisor<Index>(static_cast<Index>(pattern.extents[d]));
        slopes.strides[d] = static_cast<Index>(pattern.strides[d]);
      }
      return launchPacks<Elements, Index>(work, slopes, stream);
    }
    case SlopePattern::Kind::kUnsupported:
      break;
  }
  return cudaErrorInvalidValue;
}

/** Elements that a 32-bit index can count, with room for a pack. */
constexpr int64_t kMaxShortIndex = INT32_MAX - 64;

/** Puts one PReLU over a linear tensor into the stream: one kernel, or none where there is nothing to do. */
template <class T>
cudaError_t launchPrelu(PreluWork<T> const& work, SlopePattern const& pattern, cudaStream_t stream) {
  constexpr int kElements = kWidestAccess / sizeof(T);
  if (work.count <= 0) return cudaSuccess;
  bool const aligned = isAligned(work.x, kWidestAccess) && isAligned(work.y, kWidestAccess);
  if (work.count <= kMaxShortIndex) {
    return aligned ? launchPattern<kElements, unsigned>(work, pattern, stream)
                   : launchPattern<1, unsigned>(work, pattern, stream);
  }
  return aligned ? launchPattern<kElements, unsigned long long>(work, pattern, stream)
                 : launchPattern<1, unsigned long long>(work, pattern, stream);
}

template <class Index>
cudaError_t launchChannelsLast(PreluWork<__half> const& work, int channels, int paddedChannels,
                               cudaStream_t stream) {
  constexpr int kElements = kWidestAccess / sizeof(__half);
  FastDivisor<Index> const padded(static_cast<Index>(paddedChannels));
  if (channels == paddedChannels && isAligned(work.slope, kWidestAccess)) {
    return launchPacks<kElements, Index>(work, ChannelsLastSlope<__half, Index>{work.slope, padded}, stream);
  }
  PaddedChannelsLastSlope<__half, Index> const slopes{work.slope, padded, static_cast<unsigned>(channels)};
  return launchPacks<kElements, Index>(work, slopes, stream);
}

/**
 * The same for fp16 HWC8: `pixels` × channels padded to a multiple of 8, x and y aligned as TensorRT aligns
 * them. `slope` has `channels` elements.
 */
inline cudaError_t launchPreluHwc8(__half const* x, __half const* slope, __half* y, int64_t pixels,
                                   int channels, cudaStream_t stream) {
  int const padded = (channels + 7) / 8 * 8;
  PreluWork<__half> const work{x, slope, y, pixels * padded};
  if (work.count <= 0) return cudaSuccess;
  return work.count <= kMaxShortIndex
             ? launchChannelsLast<unsigned>(work, channels, padded, stream)
             : launchChannelsLast<unsigned long long>(work, channels, padded, stream);
}

}  // namespace tensorrt_node
