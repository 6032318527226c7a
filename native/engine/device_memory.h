#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda/device_buffer.h"
#include "cuda/gpu_memory.h"
#include "engine/blob.h"

namespace trtnode {

// Device memory of outputs that were let go of, kept for the next ones: cudaMalloc and cudaFree wait for all
// that the device does, and the event loop would wait with them. Goes with the engine.
//
// Sizes are rounded up to powers of two, so that outputs of many shapes find one another's memory.
class SpareMemory {
 public:
  explicit SpareMemory(std::shared_ptr<GpuMemory> gpu) : gpu_(std::move(gpu)) {}

  // Room for `bytes`, from any thread on which the device's context is current. Throws Error OUT_OF_MEMORY.
  std::unique_ptr<DeviceBuffer> take(size_t bytes);
  void give(std::unique_ptr<DeviceBuffer> buffer);

 private:
  std::shared_ptr<GpuMemory> const gpu_;
  std::mutex mutex_;
  std::map<size_t, std::vector<std::unique_ptr<DeviceBuffer>>> buffers_;  // by capacity
};

// The data of a tensor on the device. Shared by whoever holds the tensor and by the runs that read it; with
// the last share the memory goes back to its engine, or, where that is gone, to the device.
//
// It is complete before anybody gets it, since a run ends by waiting for its stream; so there is no event for
// the streams of others to wait for. Telling of a result earlier would save a wait of microseconds, and cost
// that a failure is told of with the wrong call, or with none.
class DeviceMemory {
 public:
  // Throws Error OUT_OF_MEMORY.
  DeviceMemory(std::shared_ptr<GpuMemory> gpu, std::shared_ptr<SpareMemory> const& spare, size_t bytes);
  ~DeviceMemory();
  DeviceMemory(DeviceMemory const&) = delete;
  DeviceMemory& operator=(DeviceMemory const&) = delete;

  CuDevicePtr get() const noexcept { return buffer_->get(); }
  size_t bytes() const noexcept { return bytes_; }

  // A copy on the host; waits for it. Throws Error OUT_OF_MEMORY, INFERENCE_FAILED or GPU_LOST.
  Blob read() const;

 private:
  std::shared_ptr<GpuMemory> const gpu_;
  std::weak_ptr<SpareMemory> const spare_;
  size_t const bytes_;
  std::unique_ptr<DeviceBuffer> buffer_;
};

}  // namespace trtnode
