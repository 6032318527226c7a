import type { Attribute } from './attribute.js'
import type { Graph } from './graph.js'
import type { Model } from './model.js'
import type { Node } from './node.js'
import { ModelTensor } from './tensor.js'
import type { Value } from './value.js'

/** Elements or list entries that a listing shows. */
const SHOWN = 8

/** See {@link Model.print}. */
export function listModel(model: Model): string {
  const opsets = [...model.opsets].map(([domain, version]) => `${domain || 'onnx'} ${version}`).join(', ')
  const producer = [model.producerName, model.producerVersion].filter(Boolean).join(' ')
  const lines = [`ir ${model.irVersion}, opset ${opsets}${producer && `, from ${producer}`}`]
  for (const [key, value] of model.metadata) lines.push(`metadata ${key} = ${short(JSON.stringify(value))}`)
  for (const { domain, name, graph } of model.functions) {
    lines.push(...listGraph(`function ${domain}:${name}`, graph, ''))
  }
  lines.push(...listGraph(`graph ${model.graph.name}`, model.graph, ''))
  return `${lines.join('\n')}\n`
}

function listGraph(title: string, graph: Graph, indent: string): string[] {
  const lines = [`${indent}${title}(${graph.inputs.map(typed).join(', ')}) → (${graph.outputs.map(typed).join(', ')})`]
  for (const tensor of graph.initializers) lines.push(`${indent}  ${tensor.name} = ${constant(tensor)}`)
  for (const node of graph.nodes) lines.push(...listNode(node, `${indent}  `))
  return lines
}

function listNode(node: Node, indent: string): string[] {
  const outputs = node.outputs.map((value) => (value === undefined ? '_' : typed(value))).join(', ')
  const inputs = node.inputs.map((value) => value?.name ?? '_').join(', ')
  const op = node.domain === '' ? node.opType : `${node.domain}:${node.opType}`
  const plain = node.attributes.filter(({ graphs }) => graphs.length === 0)
  const attributes = plain.length === 0 ? '' : ` {${plain.map(attribute).join(', ')}}`
  const name = node.name === '' ? '' : `  # ${node.name}`
  const lines = [`${indent}${outputs} = ${op}(${inputs})${attributes}${name}`]
  for (const { name, graphs } of node.attributes) {
    for (const body of graphs) lines.push(...listGraph(name, body, `${indent}  `))
  }
  return lines
}

function typed(value: Value): string {
  if (value.type === 'undefined') return value.name
  const dims = value.dims === undefined ? '' : `[${value.dims.map((dim) => dim ?? '?').join(',')}]`
  return `${value.name}: ${value.type}${dims}`
}

function attribute({ name, type, refName, value }: Attribute): string {
  if (refName !== undefined) return `${name}: @${refName}`
  if (value instanceof ModelTensor) return `${name}: ${constant(value)}`
  if (typeof value === 'string') return `${name}: ${short(JSON.stringify(value))}`
  if (Array.isArray(value)) return `${name}: [${list(value as unknown[])}]`
  return `${name}: ${value === undefined ? type : String(value)}`
}

function list(values: readonly unknown[]): string {
  const shown = values
    .slice(0, SHOWN)
    .map((value) => (typeof value === 'string' ? short(JSON.stringify(value)) : String(value)))
  return values.length > SHOWN ? `${shown.join(', ')}, … ${values.length} in all` : shown.join(', ')
}

/** A tensor: its elements where they are few and plain, else its size. Nothing is read for others. */
function constant(tensor: ModelTensor): string {
  const title = `${tensor.type}[${tensor.dims.join(',')}]`
  if (tensor.isExternal) return `${title} outside`
  if (tensor.size > SHOWN) return `${title} ${tensor.byteLength} bytes`
  if (tensor.type === 'string') return `${title} ${list(tensor.strings())}`
  try {
    return `${title} ${[...tensor.toTensor().data].map(String).join(', ')}`
  } catch {
    // A type without a typed array, or a damaged tensor: a listing is for finding such things out.
    return `${title} ${tensor.byteLength} bytes`
  }
}

function short(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`
}
