/**
 * The ops that TensorRT's ONNX parser has an importer for, as `IParser::supportsOperator` of TensorRT-RTX 1.7.1 says of
 * every op of ONNX 1.22 (test/onnx/lint asks it anew), and those of other domains that the parser's library names. The
 * parser looks at the name alone, whatever the domain. TensorRT 10 and 11 have the same importers
 * (github.com/onnx/onnx-tensorrt, docs/operators.md), and plugins of their own for the ops that RTX has none for.
 */

const IMPORTED = `
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BlackmanWindow Cast
CastLike CausalConvWithState Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace
DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu
Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HammingWindow
HannWindow HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu
Less LessOrEqual LinearAttention Log LogSoftmax Loop LpNormalization LpPool MatMul Max MaxPool Mean
MeanVarianceNormalization Min Mish Mod Mul Neg NonMaxSuppression NonZero Not OneHot Or PRelu Pad Pow QuantizeLinear
RMSNormalization RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2
ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize
ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan Scatter ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign
Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh TensorScatter
ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor
GroupQueryAttention ImageScaler MatMulNBits MultiHeadAttention ParametricSoftplus QMoE ScaledTanh
SimplifiedLayerNormalization SkipSimplifiedLayerNormalization TRT_FP8DequantizeLinear TRT_FP8QuantizeLinear`

/** See the head of this file. */
export const IMPORTED_OPS: ReadonlySet<string> = new Set(IMPORTED.trim().split(/\s+/))

/** Ops of `com.microsoft` that the parser takes; others that share a name with one of ONNX's own mean something else. */
export const MICROSOFT_OPS: ReadonlySet<string> = new Set([
  'DequantizeLinear',
  'Gelu',
  'GroupQueryAttention',
  'MatMulNBits',
  'MultiHeadAttention',
  'QMoE',
  'QuantizeLinear',
  'SimplifiedLayerNormalization',
  'SkipSimplifiedLayerNormalization',
])

/** What the parser hands to plugins of TensorRT's own, which TensorRT-RTX does not have, or has no kernels for. */
export const NOT_IN_RTX: ReadonlySet<string> = new Set([
  'CausalConvWithState',
  'LinearAttention',
  'NonMaxSuppression',
  'NonZero',
  'RoiAlign',
])

/** Element types of tensors. float64 is computed in float32, with a warning in the log. */
export const TYPES: ReadonlySet<string> = new Set([
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int8',
  'uint8',
  'int32',
  'int64',
  'bool',
  'int4',
  'float8e4m3fn',
  'float4e2m1',
])
