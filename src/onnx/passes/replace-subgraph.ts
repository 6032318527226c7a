import { isNonEmptyString, isPlainObject } from '../../check.js'
import { TrtError } from '../../errors.js'
import { findMatches, type MatchConditions } from './matching/match.js'
import { type Pattern, parsePattern } from './matching/pattern.js'
import { replaceMatch } from './matching/replace.js'
import { definePass } from './pass.js'

/** Options of {@link replaceSubgraph}. */
export interface ReplaceSubgraphOptions {
  /** What is looked for; see `matching/pattern.ts` for how it is written. */
  readonly pattern: string | undefined
  /** What takes its place, written the same way, with the names of the pattern. */
  readonly replacement: string | undefined
  /** Shapes that named values need to have; see {@link MatchConditions.shapes}. */
  readonly shapes: MatchConditions['shapes']
  /** Versions of operator sets that the replacement needs and the model has not, by domain. Default: 1. */
  readonly opsets: { readonly [domain: string]: number } | undefined
}

/**
 * Puts other nodes in the place of a pattern, wherever it is found: a chain or a graph of nodes, with conditions on ops,
 * attributes, constants and shapes. Inputs of Add, Mul and other such ops match in either order, and Identity nodes are
 * seen through. Nodes of the pattern that others use too stay.
 *
 * In a pattern, names stand for values, `$names` for constants, numbers for constants of one element, `_` for anything or
 * nothing, and `...` for further inputs; in braces are attributes that have to be so, null for absent ones. In the
 * replacement, braces hold the new node's attributes: `$epsilon` gives a constant's number, `conv.pads` an attribute of the
 * matched node that gives `conv`, and `...conv` all of them. The replacement has to name an output of the pattern, whose
 * name and users it takes over.
 *
 * Whether the model computes the same afterwards is up to who writes the pattern.
 *
 * @example onnx.replaceSubgraph({
 *   pattern: 'y = Mul(x, Sigmoid(x))',
 *   replacement: 'y = my.ops:Swish(x) {beta: 1.0}',
 * })
 */
export const replaceSubgraph = definePass<ReplaceSubgraphOptions>({
  name: 'replace-subgraph',
  summary: 'Puts other nodes in the place of a pattern of nodes',
  keepsMeaning: false,
  options: {
    pattern: { kind: 'text', doc: 'what is looked for, e.g. y = Mul(x, Sigmoid(x))', check: isNonEmptyString },
    replacement: { kind: 'text', doc: 'what takes its place, e.g. y = my.ops:Swish(x)', check: isNonEmptyString },
    shapes: { kind: 'json', doc: 'shapes by name, e.g. {"x": [null, "C", 1, 1]}', check: isShapes },
    opsets: { kind: 'json', doc: 'versions of operator sets that the replacement needs, by domain', check: isOpsets },
  },
  defaults: { pattern: undefined, replacement: undefined, shapes: undefined, opsets: undefined },
  apply(model, { pattern, replacement, shapes, opsets = {} }, context) {
    if (pattern === undefined || replacement === undefined) {
      const missing = pattern === undefined ? 'pattern' : 'replacement'
      throw new TrtError('INVALID_ARGUMENT', `replace-subgraph: expected a ${missing}, received none`)
    }
    const [wanted, made] = [parsePattern(pattern), parsePattern(replacement)]
    checkNames(wanted, made)
    const unknown = Object.keys(shapes ?? {}).find((name) => !wanted.names.has(name))
    if (unknown !== undefined) throw invalid(`shapes: the pattern has no ${JSON.stringify(unknown)}`)
    let count = 0
    for (const match of findMatches(model, wanted, { shapes })) {
      const where = String(match.root)
      const nodes = replaceMatch(match, made)
      context.change(where, `replaced by ${nodes.map(({ opType }) => opType).join(', ')}`)
      count++
    }
    context.count('matches', count)
    if (count === 0) return
    if (!findMatches(model, wanted, { shapes }).next().done) {
      throw invalid('the replacement holds the pattern again, so that there would be no end to it')
    }
    for (const domain of new Set(made.calls.map(({ ops }) => ops[0]?.domain ?? ''))) {
      if (!model.opsets.has(domain)) model.setOpset(domain, opsets[domain] ?? 1)
    }
  },
})

/** All that can be wrong about names is said before anything is changed. */
function checkNames(pattern: Pattern, replacement: Pattern): void {
  const outputs = new Set(pattern.calls.flatMap((call) => call.outputs.filter((name) => name !== undefined)))
  const given = replacement.calls.flatMap((call) => call.outputs.filter((name) => name !== undefined))
  const root = pattern.root.outputs.filter((name) => name !== undefined)
  const lost = root.find((name) => !given.includes(name))
  if (lost !== undefined) throw invalid(`the replacement does not give ${lost}, which the pattern ends in`)
  for (const call of replacement.calls) {
    if (call.ops.length > 1) throw invalid('the replacement leaves open which op a node is')
    const attributes = [...call.attributes.values()].filter(
      (written) => typeof written === 'object' && written !== null,
    )
    const used = [
      ...call.inputs.flatMap((term) => (term.kind === 'value' || term.kind === 'constant' ? term.name : [])),
      ...attributes.flatMap((written) =>
        'constant' in written ? written.constant : 'of' in written ? written.of : [],
      ),
      ...call.copies,
    ]
    const unknown = used.find((name) => !pattern.names.has(name))
    if (unknown !== undefined) throw invalid(`the replacement speaks of ${unknown}, which the pattern does not have`)
  }
  const input = given.find((name) => pattern.names.has(name) && !outputs.has(name))
  if (input !== undefined) throw invalid(`the replacement gives ${input}, which is an input of the pattern`)
}

function isShapes(value: unknown): string | undefined {
  const fits =
    isPlainObject(value) &&
    Object.values(value).every(
      (shape) =>
        Array.isArray(shape) &&
        shape.every((size) => size === null || typeof size === 'string' || Number.isSafeInteger(size)),
    )
  return fits ? undefined : 'an object of shapes by name, of numbers, texts and null'
}

function isOpsets(value: unknown): string | undefined {
  const fits = isPlainObject(value) && Object.values(value).every((version) => Number.isSafeInteger(version))
  return fits ? undefined : 'an object of versions by domain'
}

function invalid(message: string): TrtError {
  return new TrtError('INVALID_ARGUMENT', `replace-subgraph: ${message}`)
}
