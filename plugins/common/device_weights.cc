#include "device_weights.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "boundary.h"

namespace tensorrt_node {
namespace {

void check(cudaError_t error, char const* what) {
  if (error == cudaSuccess) return;
  throw PluginError(std::string(what) + " failed: " + cudaGetErrorString(error));
}

template <class T, class Convert>
std::shared_ptr<DeviceMemory> uploaded(std::vector<float> const& host, Convert convert) {
  std::vector<T> values;
  values.reserve(host.size());
  for (float value : host) values.push_back(convert(value));
  return std::make_shared<DeviceMemory>(values.data(), values.size() * sizeof(T));
}

}  // namespace

DeviceMemory::DeviceMemory(void const* data, size_t size) {
  check(cudaMalloc(&data_, size), "allocating device memory for weights");
  cudaError_t const copied = cudaMemcpy(data_, data, size, cudaMemcpyHostToDevice);
  if (copied != cudaSuccess) cudaFree(data_);
  check(copied, "copying weights to the device");
}

// Fails only where the CUDA context has gone already, and its memory with it.
DeviceMemory::~DeviceMemory() {
  cudaFree(data_);
}

void DeviceWeights::upload(nvinfer1::DataType type) {
  if (device_ != nullptr && type_ == type) return;
  if (type == nvinfer1::DataType::kHALF) {
    device_ = uploaded<__half>(host_, [](float value) { return __float2half_rn(value); });
  } else if (type == kBFloat16) {
    device_ = uploaded<__nv_bfloat16>(host_, [](float value) { return __float2bfloat16_rn(value); });
  } else {
    device_ = uploaded<float>(host_, [](float value) { return value; });
  }
  type_ = type;
}

void const* DeviceWeights::device(nvinfer1::DataType type) const {
  if (device_ == nullptr || type_ != type)
    throw PluginError("weights are not on the device: not initialized");
  return device_->data();
}

}  // namespace tensorrt_node
