/** Putting other nodes in the place of a match. */
import { TrtError } from '../../../errors.js'
import { numberToBfloat16, numberToHalf } from '../../../npy/half.js'
import type { TensorLike } from '../../../tensor.js'
import type { AttributeContent, AttributeType } from '../../model/attribute.js'
import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { addConstant } from '../add-constant.js'
import { contentOf } from '../plain-attribute.js'
import type { Match } from './match.js'
import type { Call, Pattern, Term, Written } from './pattern.js'
import { sweep } from './sweep.js'

/**
 * Makes the nodes of a replacement, which take over what it names of the pattern's outputs, and takes out what nobody uses
 * any more. Nodes of the match that others use too stay.
 *
 * @returns the nodes made, in order
 * @throws {TrtError} `INVALID_ARGUMENT` where the match has not what the replacement speaks of
 */
export function replaceMatch(match: Match, replacement: Pattern): Node[] {
  const { graph, root } = match
  const made = new Map<Call, Node>()
  // Read first: a value that is taken over is not the matched node's any more.
  const old = [...match.nodes]
  const attributes = new Map(replacement.calls.map((call) => [call, attributesOf(call, match)]))
  const inputOf = (term: Term): Value | undefined => {
    switch (term.kind) {
      case 'any':
        return undefined
      case 'number':
        return addConstant(graph, scalar(term.value, match))
      case 'output':
        return made.get(term.call)?.outputs[term.index]
      default:
        return match.value(term.name)
    }
  }
  for (const call of replacement.calls) {
    const [op] = call.ops as [Call['ops'][number]]
    const isRoot = call === replacement.root
    const inputs = call.inputs.map(inputOf)
    const outputs = call.outputs.map((name) => (name === undefined ? undefined : given(name, match)))
    const node = graph.addNode({
      ...op,
      name: isRoot ? root.name || op.opType : op.opType,
      inputs,
      ...(outputs.length > 0 && { outputs: outputs.map((value, index) => value ?? freshName(call, index, match)) }),
      attributes: attributes.get(call) ?? {},
    })
    made.set(call, node)
  }
  sweep(old)
  return [...made.values()]
}

/** The matched output of a name; undefined where the replacement calls a value of its own so. */
function given(name: string, match: Match): Value | undefined {
  return match.has(name) ? match.value(name) : undefined
}

function freshName(call: Call, index: number, { graph }: Match): string | undefined {
  const name = call.outputs[index]
  return name === undefined ? undefined : graph.uniqueName(name)
}

function attributesOf(call: Call, match: Match): Record<string, AttributeContent> {
  const contents: Record<string, AttributeContent> = {}
  for (const name of call.copies) {
    for (const attribute of producerOf(name, match).attributes) {
      if (attribute.value === undefined || attribute.graphs.length > 0) {
        throw invalid(`attribute ${attribute.name} of ${name} is a graph or a reference, which cannot be copied`)
      }
      contents[attribute.name] = [attribute.type as AttributeType, attribute.value] as AttributeContent
    }
  }
  for (const [name, written] of call.attributes) {
    const content = contentOfWritten(written, match)
    if (content === undefined) delete contents[name]
    else contents[name] = content
  }
  return contents
}

function contentOfWritten(written: Written, match: Match): AttributeContent | undefined {
  if (written === null) return undefined
  if (typeof written !== 'object' || Array.isArray(written)) return contentOf(written as number | string)
  if ('float' in written) {
    const { float } = written
    return typeof float === 'number' ? ['float', Math.fround(float)] : ['floats', float.map(Math.fround)]
  }
  if ('constant' in written) {
    const number = match.number(written.constant)
    if (number !== undefined) return ['float', Math.fround(number)]
    throw invalid(`${written.constant} is not one number, so that it can be no attribute`)
  }
  const { of, attribute: name } = written as { of: string; attribute: string }
  const attribute = producerOf(of, match).attribute(name)
  return attribute?.value === undefined
    ? undefined
    : ([attribute.type as AttributeType, attribute.value] as AttributeContent)
}

function producerOf(name: string, match: Match): Node {
  const { producer } = match.value(name)
  if (producer !== undefined) return producer
  throw invalid(`${name} is given by no node, so that it has no attributes`)
}

/** A number of the type of what the match gives, where the model says of which that is; float32 else. */
function scalar(value: number, { root }: Match): TensorLike {
  const type = root.outputs[0]?.type
  if (type === 'float64') return { type, dims: [], data: Float64Array.of(value) }
  if (type === 'int64') return { type, dims: [], data: BigInt64Array.of(BigInt(Math.trunc(value))) }
  if (type === 'int32') return { type, dims: [], data: Int32Array.of(value) }
  if (type === 'float16') return { type, dims: [], data: Uint16Array.of(numberToHalf(value)) }
  if (type === 'bfloat16') return { type, dims: [], data: Uint16Array.of(numberToBfloat16(value)) }
  return { type: 'float32', dims: [], data: Float32Array.of(value) }
}

function invalid(message: string): TrtError {
  return new TrtError('INVALID_ARGUMENT', `replacement: ${message}`)
}
