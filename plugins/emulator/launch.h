// How the host side of a plugin starts a kernel on the emulator, with the signature it has under nvcc.
#pragma once

#include "cuda_emulator.h"

namespace emulator {

/** Kernels launched since the program began. */
uint64_t launchCount();
void noteLaunch();

/** Whether launches are only counted: what is left is the host side of a plugin. */
inline bool launchesAreEmpty = false;

/** Runs the kernel to its end: on the emulator a stream is always idle. */
template <class... Parameters, class... Arguments>
cudaError_t launchKernel(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t,
                         Arguments... arguments) {
  noteLaunch();
  if (launchesAreEmpty) return cudaSuccess;
  launch(grid, block, [=] { kernel(static_cast<Parameters>(arguments)...); });
  return cudaSuccess;
}

}  // namespace emulator
