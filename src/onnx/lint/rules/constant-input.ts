/**
 * Inputs of nodes that have to be known when the engine is built, or that TensorRT reads on the CPU as shapes.
 *
 * TensorRT could take graph inputs as shapes (`IOptimizationProfile::setShapeValues`); `buildEngine` gives no ranges of
 * values, so that they are refused either way.
 */
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { fixInputs } from '../assuming.js'
import type { Fix } from '../finding.js'
import type { LintFacts } from '../lint-facts.js'
import type { Rule } from '../rule.js'

/** By op, the inputs that must follow from constants and from the shapes of others. */
const SHAPE_INPUTS: Readonly<Record<string, readonly number[]>> = {
  BlackmanWindow: [0],
  ConstantOfShape: [0],
  CumSum: [1],
  Expand: [1],
  HammingWindow: [0],
  HannWindow: [0],
  Loop: [0],
  OneHot: [1],
  Pad: [1, 3],
  Range: [0, 1, 2],
  Reshape: [1],
  Resize: [2, 3],
  Slice: [1, 2, 3, 4],
  Split: [1],
  Squeeze: [1],
  Tile: [1],
  TopK: [1],
  Unsqueeze: [1],
  Upsample: [1],
}

/** By op, the inputs that must be constant after the parser's own folding, which is little. */
const WEIGHT_INPUTS: Readonly<Record<string, readonly number[]>> = {
  Dropout: [2],
  DequantizeLinear: [2],
  QuantizeLinear: [2],
  ReduceL1: [1],
  ReduceL2: [1],
  ReduceLogSum: [1],
  ReduceLogSumExp: [1],
  ReduceMax: [1],
  ReduceMean: [1],
  ReduceMin: [1],
  ReduceProd: [1],
  ReduceSum: [1],
  ReduceSumSquare: [1],
  STFT: [1, 3],
}

/** See the head of this file. */
export const constantInput: Rule = {
  id: 'constant-input',
  summary: 'a value that TensorRT has to know when it builds, and that depends on what is fed',
  check(facts, report) {
    const cones = new Map<Value, ReadonlySet<Value>>()
    for (const node of facts.nodes) {
      if (node.domain !== '') continue
      for (const index of [...(SHAPE_INPUTS[node.opType] ?? []), ...(WEIGHT_INPUTS[node.opType] ?? [])]) {
        const value = node.inputs[index]
        if (value === undefined) continue
        const isWeight = WEIGHT_INPUTS[node.opType]?.includes(index) === true
        if (isWeight && facts.type(value) === 'float8e4m3fn') continue
        const inputs = [...fedInto(value, facts, cones)]
        if (inputs.length === 0) {
          if (isWeight && isComputed(value, facts)) {
            report(
              node,
              `its input ${index} ("${value.name}") has to be a constant, and nodes compute it from shapes`,
              {
                values: [value],
                fixes: [{ passes: [{ pass: 'simplify' }] }],
              },
            )
          }
          continue
        }
        const names = inputs.map(({ name }) => `"${name}"`).join(', ')
        report(
          node,
          `its input ${index} ("${value.name}") has to be known when the engine is built, and is computed from what is fed as ${names}`,
          {
            values: [value, ...inputs],
            fixes: fixesFor(inputs, facts),
            advice: `make it a constant, where it is always the same: surgeon --pass fix-input:values='{${inputs.map(({ name }) => `"${name}": …`).join(', ')}}'`,
          },
        )
      }
    }
  },
}

/** Fixes the inputs, where all of their values are known. */
function fixesFor(inputs: readonly Value[], { values }: LintFacts): Fix[] {
  if (!inputs.every(({ name }) => Object.hasOwn(values, name))) return []
  return [{ passes: [...fixInputs(inputs, values), { pass: 'simplify' }] }]
}

/** The parser folds chains of constants, and does not follow shapes to that end. */
function isComputed(value: Value, facts: LintFacts): boolean {
  const seen = new Set<Value>([value])
  for (const read of seen) {
    if (read.producer?.opType === 'Shape' || read.producer?.opType === 'Size') return true
    if (facts.constant(read) === undefined) for (const input of read.producer?.reads ?? []) seen.add(input)
  }
  return false
}

/** What is read of these is a shape, not what is fed. */
const SHAPES = new Set(['Shape', 'Size'])

/** The graph inputs whose elements decide a value. */
function fedInto(value: Value, facts: LintFacts, cones: Map<Value, ReadonlySet<Value>>): ReadonlySet<Value> {
  const known = cones.get(value)
  if (known !== undefined) return known
  const found = new Set<Value>()
  cones.set(value, found)
  const seen = new Set<Value>([value])
  for (const read of seen) {
    if (facts.constant(read) !== undefined || facts.elements(read)?.every((element) => element !== null)) continue
    const producer: Node | undefined = read.producer
    if (producer === undefined) {
      if (read.graph === facts.model.graph && read.initializer === undefined) found.add(read)
    } else if (!SHAPES.has(producer.opType)) {
      for (const input of producer.reads) seen.add(input)
    }
  }
  return found
}
