/**
 * What TensorRT's own errors mean. They name internal assertions; here each that was seen has its likely cause, and the
 * passes that help. One that is not in the table passes through whole.
 *
 * The words are those of TensorRT-RTX 1.7.1's parser and builder, met with ONNX's node tests and with real models.
 */
import type { Fix } from '../lint/finding.js'
import { UPGRADE_OPSET } from '../lint/rules/old-opset.js'

/** A refusal, explained as far as it is known. Plain data. */
export interface Refusal {
  /** What TensorRT said, whole. */
  readonly message: string
  /** The node as `Conv "name"`, or `Conv (node 3)` where it has no name; undefined where TensorRT does not say. */
  readonly node: string | undefined
  /** Its op. */
  readonly op: string | undefined
  /** The value that it is about. */
  readonly tensor: string | undefined
  /** What it is likely to mean; undefined where that is not known. */
  readonly cause: string | undefined
  /** Passes that may help. */
  readonly fixes: readonly Fix[]
  /** What a person could do. */
  readonly advice: string | undefined
}

/** What one kind of error means. */
interface Meaning {
  readonly says: RegExp
  readonly cause: string
  readonly fixes?: readonly Fix[]
  readonly advice?: string
}

const SIMPLIFY: Fix = { passes: [{ pass: 'simplify' }] }
const REMOVE_IF: Fix = { passes: [{ pass: 'remove-if' }, { pass: 'simplify' }] }
const LOWER_QUANTIZATION: Fix = { passes: [{ pass: 'lower-asymmetric-quantization' }] }
const FIX_INPUT = 'make the input a constant, where it is always the same: surgeon --pass fix-input'

/** The first that fits holds: the more special ones come first. */
const MEANINGS: readonly Meaning[] = [
  {
    says: /ScopeType::kUNDEFINED|IIfConditional|ifConditional/i,
    cause: 'Ifs inside of Ifs whose shapes are not fixed',
    fixes: [REMOVE_IF],
    advice:
      'state the inputs, or fix the shapes, that decide which branch is taken: surgeon --pass fix-input, set-shape, remove-if',
  },
  {
    says: /must resolve to a build-time constant|must be an initializer|is not an initializer|only supports the .* input as an initializer/,
    cause: 'a value has to be a constant when the engine is built, and the model computes it',
    fixes: [SIMPLIFY],
    advice: FIX_INPUT,
  },
  {
    says: /violate shape constraints|smaller than filter size|image size is smaller|empty axis/,
    cause: 'the model cannot be run with shapes of the ranges given, such as ones that are too small for a convolution',
    advice: 'give shapes that the model was made for',
  },
  {
    says: /no trip limit was set/,
    cause: 'a Loop that gives something for each round, and does not say how many there are',
    fixes: [{ passes: [{ pass: 'add-trip-count' }] }, { passes: [{ pass: 'simplify' }, { pass: 'add-trip-count' }] }],
    advice: 'export it with a number of rounds (the first input of Loop)',
  },
  {
    says: /Node input was not registered/,
    cause: 'a Loop without a condition, whose body reads it',
    fixes: [{ passes: [{ pass: 'add-loop-condition' }] }],
  },
  {
    says: /axis is not a constant|isInFlight|holds a shape|is a shape tensor and must have type|Output shape can not be computed/,
    cause: 'a shape depends on what is fed as an input',
    fixes: [SIMPLIFY],
    advice: FIX_INPUT,
  },
  {
    says: /has datatype (FP8|FP4|Int4)/,
    cause: 'a 4-bit or fp8 value outside of quantisation',
    advice: 'put QuantizeLinear or DequantizeLinear in the place of the Cast',
  },
  {
    says: /zero.?point/i,
    cause: 'an asymmetric quantisation; TensorRT quantises symmetrically, with zero points of 0',
    fixes: [LOWER_QUANTIZATION],
    advice: 'quantise symmetrically, to int8',
  },
  {
    says: /DequantizeLinear|QuantizeLinear|IQuantizeLayer|IDequantizeLayer|\bQDQ\b/,
    cause: 'a quantisation in a form that TensorRT does not take',
    fixes: [LOWER_QUANTIZATION],
    advice: 'quantise symmetrically, weights and activations to int8, biases not at all',
  },
  {
    says: /convertDtype|Unsupported data type|unsupported input type|UInt8|UINT8|requires inputs with type/,
    cause: 'a value of a type that TensorRT does not compute in',
    advice: 'export the model with float32, int32 or int64 there',
  },
  {
    says: /not supported by a dedicated kernel/,
    cause:
      'an Attention that no fused kernel is there for: they are for float16 and bfloat16, and heads of 16, 32, … numbers',
    advice: 'convert the model (fp16: true), or export Attention as MatMul and Softmax',
  },
  {
    says: /Plugin not found|plugin was not found|failed to load .* plugin|has no runners that implement it|: false$/m,
    cause: 'TensorRT has no layer for the op, and no plugin library brings it',
    advice: 'replace it with other ops (surgeon --pass replace-subgraph), or build for TensorRT with a plugin',
  },
  {
    says: /squeeze.*dynamic|Squeeze.*axes|axes.*Squeeze/i,
    cause: 'a Squeeze without axes, of a shape that is not fixed',
    advice: 'fix the batch: surgeon --pass set-batch:batch=1',
  },
  {
    says: /PRelu|ParametricRelu|slope/i,
    cause: 'a slope of PRelu whose shape does not go together with the input',
    fixes: [{ passes: [{ pass: 'infer-shapes' }, { pass: 'fix-prelu-slope' }] }],
  },
  {
    says: /optimization profile|IOptimizationProfile|kMIN|dimensions? .* (?:profile|must be equal)|condition: allInputDimensionsSpecified/i,
    cause: 'shapes that do not go together, such as two sizes for dimensions of one name',
    advice: 'give one size for one name in all inputs; leave shapes out with repair, which proposes them',
  },
  {
    says: /mode than 1 outputs|to have one output|only supports .* nodes with one output|support mode than/,
    cause: 'the node gives more outputs than TensorRT has for the op',
    advice: 'cut off the outputs that nobody needs: surgeon --pass extract',
  },
  {
    says: /Error Code \d+: Shape Error|reshape changes volume|reshapeChangesVolume/i,
    cause: 'shapes that contradict each other at the sizes given',
    fixes: [SIMPLIFY],
    advice: 'give other shapes, or fix them: surgeon --pass set-shape',
  },
  {
    says: /Pre-opset 7 broadcasting/,
    cause: "a model of ONNX's operator set 6 or older, in which ops broadcast otherwise",
    fixes: [UPGRADE_OPSET],
    advice: 'export it anew, or carry it over to a newer operator set: surgeon --pass upgrade-opset',
  },
  {
    says: /no shape was given .*\[of any rank\]/,
    cause: 'an input that is a sequence or an optional value, or of which not even the rank is known',
    advice: 'take it apart outside of the model: cut the model there with surgeon --pass extract',
  },
  {
    // What is left of the parser's words about nodes: `node 0 (MaxPool): (dilations[i] == 1) && "TensorRT does not …"`.
    says: /^node .*\(\w+\): |^Unsupported/m,
    cause: 'TensorRT has the op, and not in this form: its own words say which',
    advice: 'export the model without it, or replace it with other ops (surgeon --pass replace-subgraph)',
  },
]

/** Explains what TensorRT said. */
export function explainRefusal(message: string): Refusal {
  const meaning = MEANINGS.find(({ says }) => says.test(message))
  const found = /^node (?:"(?<name>.*?)"|(?<index>\d+)) \((?<op>[^)\s]+)\)/m.exec(message)?.groups
  const { name, index, op } = found ?? {}
  const node = op === undefined ? undefined : name === undefined ? `${op} (node ${index})` : `${op} "${name}"`
  return {
    message,
    node,
    op,
    tensor: tensorIn(message),
    cause: meaning?.cause,
    fixes: meaning?.fixes ?? [],
    advice: meaning?.advice,
  }
}

function tensorIn(message: string): string | undefined {
  for (const pattern of [
    /[Nn]etwork input (\S+) is a shape tensor/,
    /Tensor (\S+) has datatype/,
    /input "(.+?)" holds a shape/,
    /\bnode_of_([^\s:]+?)(?:_[A-Z]\w+)?[\s:)]/,
  ]) {
    const [, tensor] = pattern.exec(message) ?? []
    if (tensor !== undefined) return tensor
  }
  return undefined
}
