#pragma once

#include <memory>
#include <vector>

#include "engine/call.h"
#include "engine/engine_info.h"

namespace trtnode {

class EnginePool;

// The pinned memory of a binding: what JavaScript writes its inputs to and reads its outputs from, as
// ArrayBuffers that each hold a share of this. So it is there as long as anybody can see it, and longer than
// the engine where somebody keeps it.
class BoundMemory {
 public:
  BoundMemory(std::shared_ptr<EnginePool> const& pool, std::shared_ptr<GpuMemory> gpu, size_t inputCount,
              size_t outputCount);
  ~BoundMemory();
  BoundMemory(BoundMemory const&) = delete;
  BoundMemory& operator=(BoundMemory const&) = delete;

  // The engine whose shapes these are; null once there is no trace of it left.
  std::shared_ptr<EnginePool> pool() const noexcept { return pool_.lock(); }

  // Makes room for call().inputShapes and call().outputShapes. The GPU's context has to be current.
  // Throws Error UNSUPPORTED where an output's shape depends on the data, and OUT_OF_MEMORY.
  void reserve(EngineInfo const& info);

  Call& call() noexcept { return call_; }
  HostTensors& host() noexcept { return *host_; }

  bool running = false;  // of the JavaScript thread

 private:
  std::weak_ptr<EnginePool> const pool_;
  std::shared_ptr<GpuMemory> const gpu_;
  std::unique_ptr<HostTensors> host_;
  Call call_;
};

}  // namespace trtnode
