// Weights that came inside a node: kept on the host in fp32, copied to the device once, in the type that is
// computed in, and freed with the last plugin that uses them (clones share them).
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <vector>

#include "tensorrt.h"

namespace tensorrt_node {

/** Device memory that frees itself. */
class DeviceMemory {
 public:
  /** Copies `size` bytes from the host. Throws PluginError with CUDA's words where that fails. */
  DeviceMemory(void const* data, size_t size);
  ~DeviceMemory();
  DeviceMemory(DeviceMemory const&) = delete;
  DeviceMemory& operator=(DeviceMemory const&) = delete;
  void const* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

class DeviceWeights {
 public:
  DeviceWeights() = default;
  explicit DeviceWeights(std::vector<float> host) : host_(std::move(host)) {}

  std::vector<float> const& host() const { return host_; }

  /** Copies them to the device as `type` (float32, float16, bfloat16), unless they are there. */
  void upload(nvinfer1::DataType type);

  void release() noexcept { device_.reset(); }

  /** Where they are on the device; throws PluginError where they are not there as `type`. */
  void const* device(nvinfer1::DataType type) const;

 private:
  std::vector<float> host_;
  std::shared_ptr<DeviceMemory> device_;
  nvinfer1::DataType type_ = nvinfer1::DataType::kFLOAT;
};

}  // namespace tensorrt_node
