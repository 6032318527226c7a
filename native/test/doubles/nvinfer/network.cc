// Stand-in for tests: networks of the TensorRT double.
#include "network.h"

namespace trt_double {

nvinfer1::ITensor* NetworkDouble::addInput(char const* name, nvinfer1::DataType type,
                                           nvinfer1::Dims const& dims) noexcept {
  tensors_.push_back(std::make_unique<TensorDouble>(name, type, fromDims(dims), true));
  inputs_.push_back(tensors_.back().get());
  return inputs_.back();
}

TensorDouble* NetworkDouble::addTensor(std::string const& name, nvinfer1::DataType type,
                                       std::vector<int64_t> const& shape) {
  tensors_.push_back(std::make_unique<TensorDouble>(name, type, shape, false));
  return tensors_.back().get();
}

void NetworkDouble::addLayer(std::string const& name, nvinfer1::LayerType type,
                             std::vector<nvinfer1::ITensor*> outputs) {
  layers_.push_back(std::make_unique<LayerDouble>(name, type, std::move(outputs)));
}

void NetworkDouble::markOutput(nvinfer1::ITensor& tensor) noexcept {
  outputs_.push_back(&tensor);
}

}  // namespace trt_double
