import { isTexts } from '../../check.js'
import { TrtError } from '../../errors.js'
import { type ElementType, elementTypeNumber } from '../data-types.js'
import type { Model } from '../model/model.js'
import type { Value } from '../model/value.js'
import { namedValues } from './named-values.js'
import { definePass, type PassContext } from './pass.js'

/** Options of {@link extract}. */
export interface ExtractOptions {
  /** Names of the values that become the inputs. Default: those inputs of the model that the outputs need. */
  readonly inputs: readonly string[] | undefined
  /** Names of the values that become the outputs, in this order. Default: the model's. */
  readonly outputs: readonly string[] | undefined
}

/**
 * Cuts the model down to what lies between given values of the main graph, e.g. to take post-processing off its end, or
 * pre-processing off its beginning.
 *
 * Values that become inputs get the type and shape that is known of them: run `infer-shapes` first where the model does
 * not declare them.
 *
 * @example onnx.extract({ outputs: ['/head/boxes', '/head/scores'] })
 */
export const extract = definePass<ExtractOptions>({
  name: 'extract',
  summary: 'Cuts the model down to what lies between given values',
  keepsMeaning: false,
  options: {
    inputs: {
      kind: 'texts',
      doc: 'values that become the inputs; default: those that the outputs need',
      check: isTexts(1),
    },
    outputs: { kind: 'texts', doc: "values that become the outputs; default: the model's", check: isTexts(1) },
  },
  defaults: { inputs: undefined, outputs: undefined },
  apply(model, { inputs, outputs }, context) {
    const { graph } = model
    const ends = outputs === undefined ? graph.outputs : namedValues(model, outputs, 'extract: outputs')
    const starts = namedValues(model, inputs ?? [], 'extract: inputs')
    const both = starts.find((value) => !value.isInput && ends.includes(value))
    if (both !== undefined) {
      throw new TrtError('INVALID_ARGUMENT', `extract: "${both.name}" cannot be an input and an output`)
    }
    if (inputs !== undefined) checkCut(new Set(starts), ends)
    setOutputs(model, ends, context)
    for (const value of starts) makeInput(model, value, context)
    const { nodes } = model.prune()
    if (nodes > 0) context.change('model', `${nodes} ${nodes === 1 ? 'node' : 'nodes'} cut off`)
    for (const value of graph.inputs) {
      if (!value.isUnused || value.initializer !== undefined || inputs?.includes(value.name)) continue
      graph.removeInput(value)
      context.change(value, 'input removed, as no output needs it')
    }
  },
})

/** Looks from the outputs backwards for inputs of the model that were not named. */
function checkCut(starts: ReadonlySet<Value>, ends: readonly Value[]): void {
  const seen = new Set<Value>()
  const open = [...ends]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (seen.has(value) || starts.has(value)) continue
    seen.add(value)
    const { producer } = value
    if (producer !== undefined) open.push(...producer.reads)
    else if (value.isInput && value.initializer === undefined) {
      throw new TrtError('INVALID_ARGUMENT', `extract: the outputs also need the input "${value.name}"`, {
        hint: 'name it among the inputs, or a value behind it',
      })
    }
  }
}

function setOutputs({ graph }: Model, ends: readonly Value[], context: PassContext): void {
  const old = graph.outputs
  if (old.length === ends.length && old.every((value, index) => value === ends[index])) return
  for (const value of old) {
    graph.removeOutput(value)
    if (!ends.includes(value)) context.change(value, 'no output any more')
  }
  for (const value of ends) {
    graph.addOutput(value)
    if (!old.includes(value)) context.change(value, 'made an output')
  }
}

function makeInput({ graph }: Model, value: Value, context: PassContext): void {
  if (value.isInput) return
  const { name, type, dims } = value
  if (elementTypeNumber(type as ElementType) <= 0) {
    throw new TrtError('INVALID_ARGUMENT', `extract: the model does not say of which type "${name}" is (${type})`, {
      hint: 'run infer-shapes first; only tensors can become inputs',
    })
  }
  value.rename(graph.uniqueName(name))
  value.replaceUsesWith(graph.addInput(name, type as ElementType, dims))
  context.change(name, 'made an input')
}
