// CustomPRelu: ONNX PRelu as an operator of its own.
#pragma once

#include "../common/operator.h"

namespace tensorrt_node {

/**
 * Inputs: X, then slope unless it is the field `slope`: shared, per channel (`[C]`, `[C,1,1]`, `[1,C,1,1]`)
 * or any unidirectional broadcast. As a field it has no shape: one value is shared, C values are per channel
 * (dimension 1). Output: Y, like X.
 */
OperatorKind preluKind();

}  // namespace tensorrt_node
