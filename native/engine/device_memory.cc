#include "engine/device_memory.h"

#include <utility>

#include "cuda/stream.h"

namespace trtnode {
namespace {

constexpr size_t kSmallest = 256;

size_t roundedUp(size_t bytes) {
  size_t rounded = kSmallest;
  while (rounded < bytes) rounded *= 2;
  return rounded;
}

}  // namespace

std::unique_ptr<DeviceBuffer> SpareMemory::take(size_t bytes) {
  size_t const capacity = roundedUp(bytes);
  {
    std::lock_guard<std::mutex> const lock(mutex_);
    auto& buffers = buffers_[capacity];
    if (!buffers.empty()) {
      auto buffer = std::move(buffers.back());
      buffers.pop_back();
      return buffer;
    }
  }
  auto buffer = std::make_unique<DeviceBuffer>(*gpu_);
  buffer->reserve(capacity);
  return buffer;
}

void SpareMemory::give(std::unique_ptr<DeviceBuffer> buffer) {
  std::lock_guard<std::mutex> const lock(mutex_);
  buffers_[buffer->capacity()].push_back(std::move(buffer));
}

DeviceMemory::DeviceMemory(std::shared_ptr<GpuMemory> gpu, std::shared_ptr<SpareMemory> const& spare,
                           size_t bytes)
    : gpu_(std::move(gpu)), spare_(spare), bytes_(bytes), buffer_(spare->take(bytes)) {}

DeviceMemory::~DeviceMemory() {
  try {
    // Current in either case: the last share of the spare memory may be this one.
    PrimaryContext::Scope const scope(gpu_->context());
    if (std::shared_ptr<SpareMemory> const spare = spare_.lock()) {
      spare->give(std::move(buffer_));
    } else {
      buffer_.reset();
    }
  } catch (...) {
    // The GPU is lost, and the memory with it.
    buffer_.release();
  }
}

Blob DeviceMemory::read() const {
  gpu_->context().makeCurrent();
  Blob blob(bytes_);
  if (bytes_ == 0) return blob;
  CudaDriver const& cuda = gpu_->cuda();
  Stream const stream(cuda);
  CuResult const copied = cuda.memcpyDtoHAsync(blob.data.get(), get(), bytes_, stream.get());
  // Waits in any case: the copy writes to the blob.
  CuResult const done = cuda.streamSynchronize(stream.get());
  cuda.check(copied, "cuMemcpyDtoHAsync");
  cuda.check(done, "cuStreamSynchronize");
  return blob;
}

}  // namespace trtnode
