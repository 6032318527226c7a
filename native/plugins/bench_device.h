#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/blob.h"

namespace trtnode {

// Where a plugin of the bench runs: memory and a stream of the GPU, or of the CUDA that an emulated build of
// the plugin library brings with it.
class BenchDevice {
 public:
  virtual ~BenchDevice() = default;
  // The GPU's name, or "emulated".
  virtual std::string name() const = 0;
  // Bytes a second that the GPU's memory can move; 0 where that is not known, or means nothing.
  virtual double peakBandwidth() const = 0;
  // Memory that lives as long as the device, aligned to 256 bytes.
  virtual void* allocate(size_t bytes) = 0;
  virtual void upload(void* to, void const* from, size_t bytes) = 0;
  // Waits for the stream first.
  virtual void download(void* to, void const* from, size_t bytes) = 0;
  virtual void synchronize() = 0;
  // A cudaStream_t, which is a CUstream.
  virtual void* stream() const = 0;
  // Milliseconds of the stream's time for each of `count` calls; empty where time means nothing.
  virtual std::vector<float> time(int32_t count, std::function<void()> const& enqueue) = 0;
};

// Throws Error GPU_NOT_FOUND.
std::unique_ptr<BenchDevice> gpuDevice(int32_t ordinal);
// For a library whose kernels run on the CPU.
std::unique_ptr<BenchDevice> emulatedDevice();

}  // namespace trtnode
