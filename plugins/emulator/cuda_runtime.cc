// A stand-in for the CUDA runtime, as far as the plugins use it: device memory is memory, a stream is always idle.
#include "cuda_runtime.h"

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>

namespace {
emulator::RuntimeCalls calls;
}

emulator::RuntimeCalls emulator::runtimeCalls() { return calls; }

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t size) {
  ++calls.allocations;
  // As aligned as the real one.
  constexpr size_t kAlignment = 256;
  return posix_memalign(pointer, kAlignment, size) == 0 ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFree(void* pointer) {
  ++calls.frees;
  std::free(pointer);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* target, void const* source, size_t size, cudaMemcpyKind) {
  ++calls.copies;
  ++calls.synchronizations;
  std::memcpy(target, source, size);
  return cudaSuccess;
}

char const* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : "an error of the emulated CUDA runtime";
}

}
