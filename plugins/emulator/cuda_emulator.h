// CUDA on a CPU, as a kernel sees it: the same kernel source that nvcc compiles is compiled by g++ against
// this header.
//
// Blocks run one after another; inside a block every CUDA thread is a fiber, so that barriers and shuffles
// have their real meaning. What a GPU leaves undefined ends the program here, with block, thread and source
// line: a barrier that only some threads reach or that they reach at different lines, a shuffle whose mask
// leaves its caller out, names an exited lane, differs between lanes or whose source lane takes no part, and
// a barrier that never completes.
//
// What it does not show: races between blocks, speed, and the last bit of a GPU's arithmetic (which contracts
// a*b+c).
#pragma once

#include <cuda_runtime_api.h>
#include <vector_functions.h>
#include <vector_types.h>

#include <cstdint>
#include <cstring>
#include <functional>

// In a program without blocks at the same time, "shared by the block" is "static". Compile with
// -fno-threadsafe-statics, or the guards of function-local statics become accesses of their own.
#undef __shared__
#define __shared__ static
#undef __launch_bounds__
#define __launch_bounds__(...)

extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;

namespace emulator {

/** Where in the kernel's source a barrier or a shuffle stands: lanes that meet must meet at the same one. */
struct Site {
  char const* file;
  int line;
  bool operator!=(Site const& other) const {
    return line != other.line || std::strcmp(file, other.file) != 0;
  }
};

/** A lane's value on its way to another one. */
constexpr int kMaxShuffleBytes = 16;

/** Runs `body` as every thread of every block, in order. Returns when all have; any misuse ends the program.
 */
void launch(dim3 grid, dim3 block, std::function<void()> const& body);

/**
 * Lets later launches run only the blocks whose x index lies in [first, first + count): a kernel's arithmetic
 * for addresses past 2^31 can then be tried without computing what lies before. `count` 0 takes the limit
 * off.
 */
void limitBlocks(unsigned first, unsigned count);

/** Prints `what` with the block and thread that runs, and ends the program. */
[[noreturn]] void fail(char const* what);

/** Index of the running CUDA thread in its block; -1 outside a kernel. */
int currentThread();

/** Barriers that the running block has passed. Accesses with the same number are not ordered between threads.
 */
unsigned barrierEpoch();

/** Warp-wide meetings that the running thread's warp has completed. */
unsigned warpEpoch();

/** Called after each block; the traffic counter uses it. */
extern void (*afterBlock)();

void synchronizeBlock(Site site);
void exchange(unsigned mask, void* value, int size, int sourceLane, Site site);

template <class T>
T shuffle(unsigned mask, T value, int sourceLane, Site site) {
  static_assert(sizeof(T) <= kMaxShuffleBytes, "shuffles carry up to 16 bytes here");
  exchange(mask, &value, sizeof(T), sourceLane, site);
  return value;
}

}  // namespace emulator

#define EMULATOR_SITE char const *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EMULATOR_SITE) {
  emulator::synchronizeBlock({file, line});
}

inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATOR_SITE) {
  emulator::shuffle(mask, 0, emulator::currentThread() % 32, {file, line});
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, EMULATOR_SITE) {
  int const lane = emulator::currentThread() % 32;
  return emulator::shuffle(mask, value, (lane & ~(width - 1)) | (source & (width - 1)), {file, line});
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int laneMask, int width = 32, EMULATOR_SITE) {
  int const lane = emulator::currentThread() % 32;
  int const source = lane ^ laneMask;
  return emulator::shuffle(mask, value, source / width > lane / width ? lane : source, {file, line});
}

inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32);
}

inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>(static_cast<unsigned __int128>(a) * b >> 64);
}
