#pragma once

#include <NvInferRuntime.h>

#include <string>

#include "engine/blob.h"

namespace trtnode {

// TensorRT's formats as the bench names them, e.g. "hwc8"; throws Error INVALID_ARGUMENT for another name.
nvinfer1::TensorFormat formatNamed(std::string const& name);
char const* nameOf(nvinfer1::TensorFormat format);

// Bytes of a tensor in a format, its padding included. Throws Error UNSUPPORTED where the tensor has too few
// dimensions for the format.
size_t bytesOf(nvinfer1::Dims const& dims, size_t elementBytes, nvinfer1::TensorFormat format);

// A row-major tensor in another format (padding: zeros), and back. As NvInferRuntimeBase.h says of
// TensorFormat: the vector dimension is the third to last ("D…" formats: the fourth to last).
Blob toFormat(Blob const& rowMajor, nvinfer1::Dims const& dims, size_t elementBytes,
              nvinfer1::TensorFormat format);
Blob fromFormat(Blob const& formatted, nvinfer1::Dims const& dims, size_t elementBytes,
                nvinfer1::TensorFormat format);

}  // namespace trtnode
