// What every kernel here stands on: types, vectors of them, and the one way to launch. nvcc compiles it for a
// GPU and g++ for the CUDA-on-CPU layer in plugins/emulator; there is one copy of every kernel.
#pragma once

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
#include "../emulator/cuda_emulator.h"
#include "../emulator/launch.h"
#endif

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>

namespace tensorrt_node {

constexpr int kWarpSize = 32;
constexpr unsigned kAllLanes = 0xffffffffu;
/** The widest access of a GPU before sm_100, in bytes. */
constexpr int kWidestAccess = 16;

/** `Count` values that move in one access. Copy one into a local variable before using its values. */
template <class T, int Count>
struct alignas(sizeof(T) * Count) Pack {
  T at[Count];
};

__device__ __forceinline__ float toFloat(float value) {
  return value;
}
__device__ __forceinline__ float toFloat(__half value) {
  return __half2float(value);
}
__device__ __forceinline__ float toFloat(__nv_bfloat16 value) {
  return __bfloat162float(value);
}

template <class T>
__device__ __forceinline__ T fromFloat(float value);
template <>
__device__ __forceinline__ float fromFloat<float>(float value) {
  return value;
}
template <>
__device__ __forceinline__ __half fromFloat<__half>(float value) {
  return __float2half_rn(value);
}
template <>
__device__ __forceinline__ __nv_bfloat16 fromFloat<__nv_bfloat16>(float value) {
  return __float2bfloat16_rn(value);
}

/** 1/√value; a GPU has one instruction for it (within 2 ulp), for which C++ has no name. */
__device__ __forceinline__ float inverseSquareRoot(float value) {
#if defined(__CUDA_ARCH__)
  return rsqrtf(value);
#else
  return 1.0f / std::sqrt(value);
#endif
}

/** a/b; a GPU has a short form (within 2 ulp) that needs no subroutine, for which C++ has no name. */
__device__ __forceinline__ float ratio(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fdividef(a, b);
#else
  return a / b;
#endif
}

/** Division by a number that is known at launch: a multiplication, an addition and a shift. Numerators below
 * 2^31. */
struct FastDivisor32 {
  unsigned divisor = 1;
  unsigned multiplier = 1;
  unsigned shift = 0;

  FastDivisor32() = default;

  /** `value` ≥ 1 and below 2^31. (Hacker's Delight, 10-9: round-up method with one bit more than a word.) */
  explicit FastDivisor32(unsigned value) : divisor(value) {
    while ((uint64_t{1} << shift) < value) ++shift;
    multiplier = static_cast<unsigned>(((uint64_t{1} << 32) * ((uint64_t{1} << shift) - value)) / value + 1);
  }

  __device__ __forceinline__ unsigned quotient(unsigned value) const {
    return (__umulhi(value, multiplier) + value) >> shift;
  }
};

/** The same for numerators below 2^63. */
struct FastDivisor64 {
  unsigned long long divisor = 1;
  unsigned long long multiplier = 1;
  unsigned shift = 0;

  FastDivisor64() = default;

  explicit FastDivisor64(unsigned long long value) : divisor(value) {
    while ((static_cast<unsigned __int128>(1) << shift) < value) ++shift;
    auto const rest = (static_cast<unsigned __int128>(1) << shift) - value;
    multiplier = static_cast<unsigned long long>((rest << 64) / value + 1);
  }

  __device__ __forceinline__ unsigned long long quotient(unsigned long long value) const {
    return (__umul64hi(value, multiplier) + value) >> shift;
  }
};

template <class Index>
struct FastDivisorFor;
template <>
struct FastDivisorFor<unsigned> {
  using Type = FastDivisor32;
};
template <>
struct FastDivisorFor<unsigned long long> {
  using Type = FastDivisor64;
};
template <class Index>
using FastDivisor = typename FastDivisorFor<Index>::Type;

/** Whether the address is a multiple of `bytes`. */
inline bool isAligned(void const* pointer, int bytes) {
  return reinterpret_cast<uintptr_t>(pointer) % static_cast<uintptr_t>(bytes) == 0;
}

#if defined(__CUDACC__)
/** Puts one kernel into the stream. Returns at once, and a launch that cannot be made returns its error. */
template <class... Parameters, class... Arguments>
cudaError_t launchKernel(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
                         Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}
#else
using emulator::launchKernel;
#endif

}  // namespace tensorrt_node
