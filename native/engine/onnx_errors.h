#pragma once

#include <NvOnnxParser.h>

#include "loader/error.h"

namespace trtnode {

// Why the ONNX parser refused a model: UNSUPPORTED_OP naming the node and its op, INVALID_MODEL, or
// BUILD_FAILED with what the parser said, oldest first. `logged` is what TensorRT logged as errors meanwhile.
Error parserError(nvonnxparser::IParser const& parser, std::string const& logged);

}  // namespace trtnode
