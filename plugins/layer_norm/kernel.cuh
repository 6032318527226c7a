// LayerNorm over contiguous rows: y = (x - mean) / sqrt(variance + epsilon) * scale + bias, statistics in
// fp32.
//
// A row is read once, into registers, in the type it is stored in, and everything is computed from there:
//   up to 8 packs       8 threads share a row (rows of 128 bytes and less; a warp has four)
//   up to 256 packs     a warp has a row
//   up to 8,192 packs   a block has a row (32,768 fp32, 65,536 fp16; half of that in bf16)
//   beyond              a block has a row and reads it twice
// A pack is 16 bytes where rows are whole packs and aligned, one element elsewhere (then 16,384 elements are
// the limit of the register path).
//
// Decisions:
// - Two passes, never E[x²]-μ²: at mean 1000 and scale 1 the latter is wrong by 2.15.
// - The mean of x-μ is taken in the same pass as its squares and subtracted once more. It costs a second
// value in one
//   reduction, no further memory, and takes the error at mean 1000 from 2.2e-4 to about 3e-7: μ itself has no
//   more than 24 bits, x-μ is exact.
// - Rows that do not fit are read twice, not three times: the first read merges (count, mean, M2) of small
// groups,
//   each of them two-pass in registers, after taking off a pivot (the mean of the row's first part).
// - x and y are not __restrict__: the plugin may work in place, and each thread reads what it overwrites
// beforehand.
// - bf16 stops at 4 packs a thread in a block of 1,024: nvcc widens bf16 to fp32 when it is read, not when it
// is used
//   (it is a mere shift), and 8 packs of that do not fit 64 registers: 129 spilled accesses on sm_90.
// - No thread leaves early: the shuffles name all lanes of a warp.
#pragma once

#include <type_traits>

#include "../common/device.cuh"

namespace tensorrt_node {

/** `Lanes` of a kernel whose block has one row. */
constexpr int kWholeBlock = 0;
constexpr int kMaxWarps = 32;

template <int Lanes>
__device__ __forceinline__ float2 sumOverLanes(float2 value) {
#pragma unroll
  for (int mask = Lanes / 2; mask > 0; mask /= 2) {
    value.x += __shfl_xor_sync(kAllLanes, value.x, mask);
    value.y += __shfl_xor_sync(kAllLanes, value.y, mask);
  }
  return value;
}

/** The one value without the cost of the other. */
template <int Lanes>
__device__ __forceinline__ float sumOverLanes(float value) {
#pragma unroll
  for (int mask = Lanes / 2; mask > 0; mask /= 2) value += __shfl_xor_sync(kAllLanes, value, mask);
  return value;
}

__device__ __forceinline__ void setZero(float& value) {
  value = 0.0f;
}
__device__ __forceinline__ void setZero(float2& value) {
  value = make_float2(0.0f, 0.0f);
}

/**
 * The sum over all who share a row, known to each of them. `partial` holds a value a warp; a kernel's
 * reductions use different ones, so that one barrier each is enough.
 */
template <int Lanes, class Value>
__device__ __forceinline__ Value sumOverRow(Value value, Value* partial) {
  if constexpr (Lanes != kWholeBlock) {
    return sumOverLanes<Lanes>(value);
  } else {
    int const warps = blockDim.x / kWarpSize;
    int const lane = threadIdx.x % kWarpSize;
    value = sumOverLanes<kWarpSize>(value);
    if (lane == 0) partial[threadIdx.x / kWarpSize] = value;
    __syncthreads();
    Value total;
    setZero(total);
    if (lane < warps) total = partial[lane];
    return sumOverLanes<kWarpSize>(total);
  }
}

/** Threads of a block whose warps have rows of their own. */
constexpr int kSharedBlockThreads = 128;
constexpr int kMaxBlockThreads = 1024;

template <class T, int Elements, int Packs, int Lanes>
__global__ void __launch_bounds__(Lanes == kWholeBlock ? kMaxBlockThreads : kSharedBlockThreads)
    layerNormKernel(T const* x, T const* __restrict__ scale, T const* __restrict__ bias, T* y,
                    float* __restrict__ mean, float* __restrict__ inverseDeviation, int64_t rows, int columns,
                    float inverseColumns, float epsilon) {
  using P = Pack<T, Elements>;
  __shared__ float sums[kMaxWarps];
  __shared__ float2 moments[kMaxWarps];

  int const sharers = Lanes == kWholeBlock ? blockDim.x : Lanes;
  int const lane = Lanes == kWholeBlock ? threadIdx.x : threadIdx.x % sharers;
  int64_t const row = Lanes == kWholeBlock
                          ? int64_t{blockIdx.x}
                          : int64_t{blockIdx.x} * (kSharedBlockThreads / (Lanes == kWholeBlock ? 1 : Lanes)) +
                                threadIdx.x / sharers;
  // A thread without a row has no packs, and takes part in the reductions with zeros.
  int const packs = row < rows ? columns / Elements : 0;
  P const* const source = reinterpret_cast<P const*>(x + row * columns);

  P held[Packs];
#pragma unroll
  for (int i = 0; i < Packs; ++i) {
    int const pack = lane + i * sharers;
    if (pack < packs) held[i] = source[pack];
  }

  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < Packs; ++i) {
    if (lane + i * sharers < packs) {
#pragma unroll
      for (int j = 0; j < Elements; ++j) sum += toFloat(held[i].at[j]);
    }
  }
  float const center = sumOverRow<Lanes>(sum, sums) * inverseColumns;

  float2 moment = make_float2(0.0f, 0.0f);
#pragma unroll
  for (int i = 0; i < Packs; ++i) {
    if (lane + i * sharers < packs) {
#pragma unroll
      for (int j = 0; j < Elements; ++j) {
        float const difference = toFloat(held[i].at[j]) - center;
        moment.x += difference;
        moment.y += difference * difference;
      }
    }
  }
  moment = sumOverRow<Lanes>(moment, moments);
  float const correction = moment.x * inverseColumns;
  float variance = moment.y * inverseColumns - correction * correction;
  if (variance < 0.0f) variance = 0.0f;  // not fmaxf, which would lose a NaN
  float const factor = inverseSquareRoot(variance + epsilon);

  P* const target = reinterpret_cast<P*>(y + row * columns);
#pragma unroll
  for (int i = 0; i < Packs; ++i) {
    int const pack = lane + i * sharers;
    if (pack < packs) {
      P const scales = reinterpret_cast<P const*>(scale)[pack];
      P result;
      if (bias != nullptr) {
        P const biases = reinterpret_cast<P const*>(bias)[pack];
#pragma unroll
        for (int j = 0; j < Elements; ++j) {
          float const normalized = ((toFloat(held[i].at[j]) - center) - correction) * factor;
          result.at[j] = fromFloat<T>(normalized * toFloat(scales.at[j]) + toFloat(biases.at[j]));
        }
      } else {
#pragma unroll
        for (int j = 0; j < Elements; ++j) {
          float const normalized = ((toFloat(held[i].at[j]) - center) - correction) * factor;
          result.at[j] = fromFloat<T>(normalized * toFloat(scales.at[j]));
        }
      }
      target[pack] = result;
    }
  }
  if (lane == 0 && row < rows) {
    if (mean != nullptr) mean[row] = center + correction;
    if (inverseDeviation != nullptr) inverseDeviation[row] = factor;
  }
}

/** Count, mean and sum of squared differences from the mean: what two groups need to be merged without loss.
 */
struct Moments {
  float count;
  float mean;
  float squares;
};

/** Chan, Golub, LeVeque (1979): the moments of two groups together. */
__device__ __forceinline__ Moments merge(Moments const& a, Moments const& b) {
  if (b.count == 0.0f) return a;
  if (a.count == 0.0f) return b;
  Moments both;
  both.count = a.count + b.count;
  float const distance = b.mean - a.mean;
  float const share = ratio(b.count, both.count);
  both.mean = a.mean + distance * share;
  both.squares = a.squares + b.squares + distance * distance * a.count * share;
  return both;
}

__device__ __forceinline__ Moments mergeOverWarp(Moments value) {
#pragma unroll
  for (int mask = kWarpSize / 2; mask > 0; mask /= 2) {
    Moments other;
    other.count = __shfl_xor_sync(kAllLanes, value.count, mask);
    other.mean = __shfl_xor_sync(kAllLanes, value.mean, mask);
    other.squares = __shfl_xor_sync(kAllLanes, value.squares, mask);
    value = merge(value, other);
  }
  return value;
}

constexpr int kStreamThreads = 512;
/** Elements that a thread takes in at once, in packs of the widest kind and one by one. */
constexpr int kStreamPacks = 4;
constexpr int kStreamElements = 16;

/** Rows that no block can hold: read once for the statistics and once more for the result. */
template <class T, int Elements>
__global__ void __launch_bounds__(kStreamThreads)
    layerNormStreamKernel(T const* x, T const* __restrict__ scale, T const* __restrict__ bias, T* y,
                          float* __restrict__ mean, float* __restrict__ inverseDeviation, int columns,
                          float epsilon) {
  using P = Pack<T, Elements>;
  constexpr int kPacks = Elements == 1 ? kStreamElements : kStreamPacks;
  constexpr int kPart = kPacks * kStreamThreads;
  __shared__ float sums[kMaxWarps];
  __shared__ Moments partial[kMaxWarps];

  int64_t const row = blockIdx.x;
  int const packs = columns / Elements;
  P const* const source = reinterpret_cast<P const*>(x + row * columns);
  Moments all{0.0f, 0.0f, 0.0f};
  float pivot = 0.0f;

  for (int begin = 0; begin < packs; begin += kPart) {
    P held[kPacks];
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      int const pack = begin + static_cast<int>(threadIdx.x) + i * kStreamThreads;
      if (pack < packs) held[i] = source[pack];
    }
    float sum = 0.0f;
    int count = 0;
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      if (begin + static_cast<int>(threadIdx.x) + i * kStreamThreads < packs) {
        count += Elements;
#pragma unroll
        for (int j = 0; j < Elements; ++j) sum += toFloat(held[i].at[j]) - pivot;
      }
    }
    if (begin == 0) {
      // The first part of a row that comes here is always full.
      pivot = sumOverRow<kWholeBlock>(sum, sums) * (1.0f / (kPart * Elements));
      sum = 0.0f;
#pragma unroll
      for (int i = 0; i < kPacks; ++i) {
#pragma unroll
        for (int j = 0; j < Elements; ++j) sum += toFloat(held[i].at[j]) - pivot;
      }
    }
    Moments part{static_cast<float>(count), 0.0f, 0.0f};
    part.mean = count == 0 ? 0.0f : ratio(sum, part.count);
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      if (begin + static_cast<int>(threadIdx.x) + i * kStreamThreads < packs) {
#pragma unroll
        for (int j = 0; j < Elements; ++j) {
          float const difference = (toFloat(held[i].at[j]) - pivot) - part.mean;
          part.squares += difference * difference;
        }
      }
    }
    all = merge(all, part);
  }

  all = mergeOverWarp(all);
  int const lane = threadIdx.x % kWarpSize;
  if (lane == 0) partial[threadIdx.x / kWarpSize] = all;
  __syncthreads();
  all = Moments{0.0f, 0.0f, 0.0f};
  if (lane < kStreamThreads / kWarpSize) all = partial[lane];
  all = mergeOverWarp(all);
  float const factor = inverseSquareRoot(ratio(all.squares, static_cast<float>(columns)) + epsilon);

  P* const target = reinterpret_cast<P*>(y + row * columns);
#pragma unroll 4
  for (int pack = threadIdx.x; pack < packs; pack += kStreamThreads) {
    P const values = source[pack];
    P const scales = reinterpret_cast<P const*>(scale)[pack];
    P result;
#pragma unroll
    for (int j = 0; j < Elements; ++j) {
      float const normalized = ((toFloat(values.at[j]) - pivot) - all.mean) * factor;
      result.at[j] = fromFloat<T>(normalized * toFloat(scales.at[j]));
    }
    if (bias != nullptr) {
      P const biases = reinterpret_cast<P const*>(bias)[pack];
#pragma unroll
      for (int j = 0; j < Elements; ++j) {
        float const normalized = ((toFloat(values.at[j]) - pivot) - all.mean) * factor;
        result.at[j] = fromFloat<T>(normalized * toFloat(scales.at[j]) + toFloat(biases.at[j]));
      }
    }
    target[pack] = result;
  }
  if (threadIdx.x == 0) {
    if (mean != nullptr) mean[row] = pivot + all.mean;
    if (inverseDeviation != nullptr) inverseDeviation[row] = factor;
  }
}

/** One LayerNorm: `rows` × `columns` contiguous elements; `scale` and `bias` have `columns`. */
template <class T>
struct LayerNormWork {
  T const* x;
  T const* scale;
  /** May be null, as may the two outputs below, of `rows` elements. */
  T const* bias;
  T* y;
  float* mean;
  float* inverseDeviation;
  int64_t rows;
  int columns;
  float epsilon;
};

template <int Packs, int Lanes, int Elements, class T>
cudaError_t launchHeld(LayerNormWork<T> const& work, int blockThreads, cudaStream_t stream) {
  int64_t const rowsPerBlock =
      Lanes == kWholeBlock ? 1 : kSharedBlockThreads / (Lanes == kWholeBlock ? 1 : Lanes);
  int64_t const blocks = (work.rows + rowsPerBlock - 1) / rowsPerBlock;
  if (blocks > INT32_MAX) return cudaErrorInvalidConfiguration;
  return launchKernel(layerNormKernel<T, Elements, Packs, Lanes>, dim3(static_cast<unsigned>(blocks)),
                      dim3(blockThreads), stream, work.x, work.scale, work.bias, work.y, work.mean,
                      work.inverseDeviation, work.rows, work.columns, 1.0f / static_cast<float>(work.columns),
                      work.epsilon);
}

/** A block of just as many warps as the row needs. */
template <int Packs, int Elements, class T>
cudaError_t launchWholeBlock(LayerNormWork<T> const& work, cudaStream_t stream) {
  int const packs = work.columns / Elements;
  int const threads = (packs + Packs - 1) / Packs;
  return launchHeld<Packs, kWholeBlock, Elements>(work, (threads + kWarpSize - 1) / kWarpSize * kWarpSize,
                                                  stream);
}

template <int Elements, class T>
cudaError_t launchStream(LayerNormWork<T> const& work, cudaStream_t stream) {
  if (work.rows > INT32_MAX) return cudaErrorInvalidConfiguration;
  return launchKernel(layerNormStreamKernel<T, Elements>, dim3(static_cast<unsigned>(work.rows)),
                      dim3(kStreamThreads), stream, work.x, work.scale, work.bias, work.y, work.mean,
                      work.inverseDeviation, work.columns, work.epsilon);
}

template <class T>
cudaError_t launchInPacks(LayerNormWork<T> const& work, cudaStream_t stream) {
  constexpr int kElements = kWidestAccess / sizeof(T);
  constexpr int kWarp = kWarpSize;
  int const packs = work.columns / kElements;
  if (packs <= 8) return launchHeld<1, 8, kElements>(work, kSharedBlockThreads, stream);
  if (packs <= 1 * kWarp) return launchHeld<1, kWarp, kElements>(work, kSharedBlockThreads, stream);
  if (packs <= 2 * kWarp) return launchHeld<2, kWarp, kElements>(work, kSharedBlockThreads, stream);
  if (packs <= 3 * kWarp) return launchHeld<3, kWarp, kElements>(work, kSharedBlockThreads, stream);
  if (packs <= 4 * kWarp) return launchHeld<4, kWarp, kElements>(work, kSharedBlockThreads, stream);
  if (packs <= 6 * kWarp) return launchHeld<6, kWarp, kElements>(work, kSharedBlockThreads, stream);
  if (packs <= 8 * kWarp) return launchHeld<8, kWarp, kElements>(work, kSharedBlockThreads, stream);
  if (packs <= 4 * kMaxBlockThreads) return launchWholeBlock<4, kElements>(work, stream);
  if constexpr (!std::is_same_v<T, __nv_bfloat16>) {
    if (packs <= 8 * kMaxBlockThreads) return launchWholeBlock<8, kElements>(work, stream);
  }
  return launchStream<kElements>(work, stream);
}

/** Rows that begin anywhere: elements move one by one, and are still read once. */
template <class T>
cudaError_t launchInElements(LayerNormWork<T> const& work, cudaStream_t stream) {
  constexpr int kWarp = kWarpSize;
  if (work.columns <= 8) return launchHeld<1, 8, 1>(work, kSharedBlockThreads, stream);
  if (work.columns <= 2 * kWarp) return launchHeld<2, kWarp, 1>(work, kSharedBlockThreads, stream);
  if (work.columns <= 8 * kWarp) return launchHeld<8, kWarp, 1>(work, kSharedBlockThreads, stream);
  if (work.columns <= 16 * kWarp) return launchHeld<16, kWarp, 1>(work, kSharedBlockThreads, stream);
  if (work.columns <= 16 * kMaxBlockThreads) return launchWholeBlock<16, 1>(work, stream);
  return launchStream<1>(work, stream);
}

/** Puts one LayerNorm into the stream: one kernel, or none where there is nothing to do. */
template <class T>
cudaError_t launchLayerNorm(LayerNormWork<T> const& work, cudaStream_t stream) {
  if (work.rows <= 0 || work.columns <= 0) return cudaSuccess;
  bool const wholePacks = work.columns % (kWidestAccess / static_cast<int>(sizeof(T))) == 0;
  bool const aligned = isAligned(work.x, kWidestAccess) && isAligned(work.y, kWidestAccess) &&
                       isAligned(work.scale, kWidestAccess) && isAligned(work.bias, kWidestAccess);
  return wholePacks && aligned ? launchInPacks(work, stream) : launchInElements(work, stream);
}

}  // namespace tensorrt_node
