// A stand-in for the CUDA runtime, as far as the plugins use it: device memory is memory, a stream is always
// idle.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>

#include "launch.h"

namespace {

struct {
  uint64_t allocations = 0;
  uint64_t synchronizations = 0;
} calls;

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t size) {
  ++calls.allocations;
  // As aligned as the real one.
  constexpr size_t kAlignment = 256;
  return posix_memalign(pointer, kAlignment, size) == 0 ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFree(void* pointer) {
  std::free(pointer);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* target, void const* source, size_t size, cudaMemcpyKind) {
  ++calls.synchronizations;
  std::memcpy(target, source, size);
  return cudaSuccess;
}

/** Launches, allocations and synchronizations so far: what a test of `enqueue` asks the emulated library for.
 */
__attribute__((visibility("default"))) void emulatorCalls(uint64_t* counts) {
  counts[0] = emulator::launchCount();
  counts[1] = calls.allocations;
  counts[2] = calls.synchronizations;
}

/** From now on launches are counted and nothing runs, so that a test can time the host side. */
__attribute__((visibility("default"))) void emulatorEmptyLaunches() {
  emulator::launchesAreEmpty = true;
}

char const* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : "an error of the emulated CUDA runtime";
}
}
