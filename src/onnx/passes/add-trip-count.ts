import type { Graph } from '../model/graph.js'
import type { Node } from '../model/node.js'
import type { Value } from '../model/value.js'
import { addTrue } from './add-constant.js'
import { Constants } from './constants.js'
import { inferFirst } from './infer-first.js'
import { sweepValues } from './matching/sweep.js'
import { NodeBuilder } from './node-builder.js'
import { definePass } from './pass.js'

/**
 * Gives a Loop that counts up to a limit by itself, as TensorFlow's `while_loop` does, its number of rounds: the limit less
 * where the counter begins. TensorRT has to know it wherever a loop gives something for each round. The condition becomes
 * true, so that the number is what ends the loop, and the shapes of what it gives are known.
 *
 * Only where the number is exact: the counter goes up by 1, the limit stays, and the condition is `counter < limit` before
 * the first round as well.
 *
 * @example onnx.addTripCount()
 */
export const addTripCount = definePass<Record<never, never>>({
  name: 'add-trip-count',
  summary: 'Gives a Loop that counts up to a limit by itself its number of rounds',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    const constants = new Constants(model)
    const loops = [...model.graphs()].flatMap(({ nodes }) => nodes.filter(needsTripCount))
    if (loops.length === 0) return
    inferFirst(model, 'shapes inferred, which say what loops count in', context)
    for (const loop of loops) {
      const count = countOf(loop, constants)
      if (count === undefined) {
        context.note(`${loop} was left alone: its condition is not that a counter is below a limit`)
        continue
      }
      loop.setInput(0, roundsOf(loop, count, constants))
      goAlways(loop)
      context.change(loop, 'given the number of rounds that its condition counts')
    }
  },
})

/** Whether it is a Loop that gives something for each round, and has no number of rounds. */
export function needsTripCount(node: Node): boolean {
  if (node.opType !== 'Loop' || node.domain !== '' || node.inputs[0] !== undefined) return false
  const { inputs = [], outputs = [] } = node.get('body', 'graph') ?? {}
  // The iteration and the condition go in, and the condition comes out, besides what is carried.
  return outputs.length - 1 > inputs.length - 2
}

/** What a loop counts: from `start`, by 1, while it is below `limit`. Both are values outside of the loop. */
interface Count {
  readonly start: Value
  readonly limit: Value
}

function countOf(loop: Node, constants: Constants): Count | undefined {
  const body = loop.get('body', 'graph')
  const comparison = comparisonOf(body?.outputs[0])
  if (body === undefined || comparison === undefined) return undefined
  const start = startOf(loop, body, comparison.less, constants)
  const limit = outsideOf(loop, body, comparison.more)
  if (start === undefined || limit === undefined) return undefined
  if (![start, limit].every((value) => /^int(32|64)$/.test(constants.type(value)))) return undefined
  return beginsBelow(loop.inputs[1], { start, limit }, constants) ? { start, limit } : undefined
}

/** The operands of `less < more`, where a value is that. */
function comparisonOf(value: Value | undefined): { less: Value; more: Value } | undefined {
  const { producer } = value === undefined ? {} : plain(value)
  const [a, b] = producer?.inputs ?? []
  if (producer?.domain !== '' || a === undefined || b === undefined) return undefined
  if (producer.opType === 'Less') return { less: plain(a), more: plain(b) }
  return producer.opType === 'Greater' ? { less: plain(b), more: plain(a) } : undefined
}

/** Where a counter begins, of which a value of the body is the next one. */
function startOf(loop: Node, body: Graph, next: Value, constants: Constants): Value | undefined {
  const { producer } = next
  if (producer?.opType !== 'Add' || producer.domain !== '') return undefined
  const [a, b] = producer.inputs as readonly [Value, Value]
  const counter =
    constants.ints(b)?.join() === '1' ? plain(a) : constants.ints(a)?.join() === '1' ? plain(b) : undefined
  const index = counter === undefined ? -1 : body.inputs.indexOf(counter)
  const carried = body.outputs[index - 1]
  return index < 2 || carried === undefined || plain(carried) !== next ? undefined : loop.inputs[index]
}

/** What a value of the body is outside of the loop: it comes from there, or is carried from round to round as it is. */
function outsideOf(loop: Node, body: Graph, value: Value): Value | undefined {
  if (value.graph !== body) return value
  const index = body.inputs.indexOf(value)
  const carried = body.outputs[index - 1]
  return index < 2 || carried === undefined || plain(carried) !== value ? undefined : loop.inputs[index]
}

/** Whether a condition, the one before the first round, says that a count begins below its limit. */
function beginsBelow(condition: Value | undefined, { start, limit }: Count, constants: Constants): boolean {
  const [from, to] = [start, limit].map((value) => constants.ints(value)?.[0])
  const isTrue = condition === undefined || constants.ints(condition)?.[0] === 1
  if (isTrue) return from !== undefined && to !== undefined && from < to
  const comparison = comparisonOf(condition)
  return comparison?.less === plain(start) && comparison.more === plain(limit)
}

/** The limit less the start, in int64. */
function roundsOf(loop: Node, { start, limit }: Count, constants: Constants): Value {
  const builder = new NodeBuilder(loop.graph).for(loop)
  const [from, to] = [start, limit].map((value) => constants.ints(value)?.[0])
  if (from !== undefined && to !== undefined) return builder.ints([Math.max(0, to - from)], [])
  return builder.add('Sub', [builder.cast(limit, 'int64'), builder.cast(start, 'int64')])
}

/** Makes the condition true, before the first round and after each. */
function goAlways(loop: Node): void {
  const body = loop.get('body', 'graph') as Graph
  const [, still] = body.inputs as readonly [Value, Value]
  const [next] = body.outputs as readonly [Value]
  const { outputs } = body.addNode({ opType: 'Identity', inputs: [still] })
  body.replaceOutput(next, outputs[0] as Value)
  const before = loop.inputs
  loop.setInput(1, addTrue(loop.graph))
  sweepValues([next, ...before])
}

/** A value before it was cast, or handed on. */
function plain(value: Value): Value {
  let source = value
  while (source.producer?.domain === '' && /^(Cast|Identity)$/.test(source.producer.opType)) {
    const [before] = source.producer.inputs
    if (before === undefined) break
    source = before
  }
  return source
}
