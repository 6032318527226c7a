// What an operator is, apart from the plugin interfaces that carry it. A third plugin is one class of this
// kind and one OperatorKind in registration.cc; version "1" (IPluginV2DynamicExt) and "2" (IPluginV3) come
// with it.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <vector>

#include "field_reader.h"
#include "serializer.h"
#include "tensorrt.h"

namespace tensorrt_node {

/** Methods may throw; the plugins around it stop that. */
class Operator {
 public:
  virtual ~Operator() = default;
  virtual std::unique_ptr<Operator> clone() const = 0;

  virtual int32_t outputCount() const = 0;
  virtual nvinfer1::DataType outputType(int32_t output, nvinfer1::DataType const* inputs,
                                        int32_t count) const = 0;
  virtual nvinfer1::DimsExprs outputShape(int32_t output, nvinfer1::DimsExprs const* inputs, int32_t count,
                                          nvinfer1::IExprBuilder& builder) const = 0;

  /** Whether tensor `position` (inputs first, then outputs) may be as it is, given those before it. */
  virtual bool supports(int32_t position, nvinfer1::PluginTensorDesc const* tensors, int32_t inputs,
                        int32_t outputs) const = 0;

  /** Takes note of types and number of inputs; refuses shapes it cannot work on. Dimensions may be -1
   * (unknown). */
  virtual void configure(nvinfer1::PluginTensorDesc const* inputs, int32_t count) = 0;

  /** Puts on the device what `enqueue` needs there. Called any number of times, after `configure`. */
  virtual void prepare() = 0;
  virtual void release() noexcept = 0;

  /** At most one kernel launch: no allocation, no synchronization. */
  virtual cudaError_t enqueue(nvinfer1::PluginTensorDesc const* inputs,
                              nvinfer1::PluginTensorDesc const* outputs, void const* const* inputData,
                              void* const* outputData, cudaStream_t stream) const = 0;

  /** Everything that `restore` of its kind needs, `configure` included. */
  virtual void serialize(Writer& writer) const = 0;
};

struct OperatorKind {
  char const* name;
  /** Names and types that a creator announces; TensorRT's parser hands over only these. */
  std::vector<nvinfer1::PluginField> fields;
  std::unique_ptr<Operator> (*create)(FieldReader const& fields);
  std::unique_ptr<Operator> (*restore)(Reader& reader);
};

}  // namespace tensorrt_node
