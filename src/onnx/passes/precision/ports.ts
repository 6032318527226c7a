import type { Node } from '../../model/node.js'
import type { Value } from '../../model/value.js'
import { type FormalParameter, type OpSchema, schemaOf } from '../../ops/schema.js'
import type { LowType } from './weights.js'

/**
 * What type an input or output of a node has, by the node's own type:
 * - `none`: it is not of float32, and none of our business
 * - `node`: float32 or the smaller type, as the node
 * - `full`: float32 whatever the node computes in
 * - `any`: whatever its producer gives
 */
export type Port = 'none' | 'node' | 'full' | 'any'

/** The types of a node's inputs and outputs, and why it cannot be of a smaller type. */
export interface Ports {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** Undefined where it can. */
  readonly obstacle: string | undefined
}

/** What a node's schema allows. */
export function portsOf(node: Node, opset: number, to: LowType): Ports {
  const values = [...node.inputs, ...node.outputs]
  const fixed = (obstacle: string): Ports => ({
    inputs: node.inputs.map((value) => (isFloat(value) ? 'full' : 'none')),
    outputs: node.outputs.map((value) => (isFloat(value) ? 'full' : 'none')),
    obstacle,
  })
  if (node.subgraphs.length > 0) return fixed('what goes into and comes out of graphs inside nodes stays float32')
  if (values.some((value) => value?.type === 'undefined')) return fixed('the type of a value is not known')
  if (values.some((value) => value?.type.includes('(') && value.type.includes('float32')))
    return fixed('sequences and optional values stay as they are')
  if (node.domain === '' && TYPED_BY_ATTRIBUTE.some((name) => node.attribute(name) !== undefined))
    return fixed('an attribute says its type')
  const schema = schemaOf(node.opType, node.domain, opset)
  if (schema === undefined) return fixed(`ONNX does not know the op ${node.domain}:${node.opType}`)
  const portOf = (value: Value | undefined, formals: readonly FormalParameter[], index: number): Port => {
    if (!isFloat(value)) return 'none'
    const formal = formals[index] ?? formals.at(-1)
    const takes = formal !== undefined && (schema.typeConstraints.get(formal.type)?.has(to) ?? false)
    return takes && !staysFull(schema, formal as FormalParameter) ? 'node' : 'full'
  }
  const inputs = node.inputs.map((value, index) => portOf(value, schema.inputs, index))
  const outputs = node.outputs.map((value, index) => portOf(value, schema.outputs, index))
  if (TYPELESS_READERS.has(node.opType) && outputs[0] === 'none')
    return { inputs: inputs.map((port) => (port === 'none' ? 'none' : 'any')), outputs, obstacle: undefined }
  const isAble = [...inputs, ...outputs].includes('node')
  return { inputs, outputs, obstacle: isAble ? undefined : `operator set ${opset} has no ${to} ${node.opType}` }
}

export function isFloat(value: Value | undefined): boolean {
  return value?.type === 'float32'
}

export function isCast(node: Node | undefined): boolean {
  return node?.opType === 'Cast' && node.domain === ''
}

/** What reads whatever there is, as long as it does not give float32. */
const TYPELESS_READERS: ReadonlySet<string> = new Set(['Cast', 'Shape', 'Size'])

/** Random numbers, EyeLike, windows, and QuantizeLinear and DequantizeLinear from operator set 21 and 23 on. */
const TYPED_BY_ATTRIBUTE = ['dtype', 'output_dtype', 'output_datatype']

/**
 * Inputs and outputs that stay float32 on nodes of a smaller type: statistics, whose squares leave the range of float16,
 * and the sizes of Resize, which decide on shapes.
 */
const FULL_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  LayerNormalization: ['Mean', 'InvStdDev'],
  Resize: ['roi', 'scales'],
}

function staysFull({ opType, domain }: OpSchema, { name }: FormalParameter): boolean {
  return domain === '' && (FULL_PARAMETERS[opType]?.includes(name) ?? false)
}
