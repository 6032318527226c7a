// CustomLayerNormalization: ONNX LayerNormalization (opset 17) as an operator of its own.
#pragma once

#include "../common/operator.h"

namespace tensorrt_node {

/**
 * Inputs: X, then Scale unless it is the field `scale`, then B unless it is the field `bias` or absent.
 * Outputs: Y, and with the field `outputs` at 2 or 3 Mean and InvStdDev, both fp32.
 * Fields: axis (-1), epsilon (1e-5), stash_type (1, the only one), outputs (1), scale, bias.
 */
OperatorKind layerNormKind();

}  // namespace tensorrt_node
