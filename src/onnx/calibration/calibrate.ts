import {
  type Check,
  checkOptions,
  isAbortSignal,
  isFunction,
  isInteger,
  isNumberFrom,
  isOneOf,
  isTexts,
} from '../../check.js'
import { TrtError, throwIfAborted } from '../../errors.js'
import type { Tensor, TensorLike } from '../../tensor.js'
import type { Model } from '../model/model.js'
import { planQuantization, type QuantizationSelection, SELECTION_DEFAULTS } from '../passes/quantization/plan.js'
import { openExtended, type RunnerOptions } from '../run/runner.js'
import { collectorFor } from './collect.js'
import { CALIBRATION_METHODS, type CalibrationMethod } from './thresholds.js'

/** Inputs by name, one object for each run; the more like real ones, the better. Read once, one after the other. */
export type CalibrationSamples =
  | Iterable<{ readonly [input: string]: TensorLike }>
  | AsyncIterable<{ readonly [input: string]: TensorLike }>

/** Options of {@link calibrate}. Those of the selection are the same as of the pass `quantize`. */
export interface CalibrateOptions extends Partial<QuantizationSelection>, Pick<RunnerOptions, 'threads' | 'signal'> {
  /** How ranges are chosen: by what is there (`max`), or cutting off what is rare. Default `'percentile'`. */
  readonly method?: CalibrationMethod
  /** Of the method `percentile`: which share of the values is held, in percent. Default 99.99. */
  readonly percentile?: number
  /** Told after each sample how many were run. */
  readonly onProgress?: (progress: { readonly samples: number }) => void
}

const texts = isTexts()
const CHECKS: Readonly<Record<keyof CalibrateOptions, Check>> = {
  method: isOneOf(...CALIBRATION_METHODS),
  percentile: isNumberFrom(50, 100),
  ops: texts,
  nodes: texts,
  keepOps: texts,
  keepNodes: texts,
  minChannels: isInteger(1, 2 ** 31 - 1),
  threads: isInteger(1, 1024),
  signal: isAbortSignal,
  onProgress: isFunction,
}

/**
 * Finds the ranges that the pass `quantize` needs: runs the model on onnxruntime's CPU with samples of yours, and chooses for
 * each activation that would be quantised the greatest magnitude that 8 bits are to hold. A hundred samples or more are
 * usual, a dozen tells something.
 *
 * The model is run in a child process, and its values are counted here while the next sample computes; what one sample's
 * activations take is what it takes in memory, twice.
 *
 * @returns ranges by the name of the value; infinite where a value is infinite or NaN
 * @throws {TrtError} `INVALID_ARGUMENT` without samples, and where nothing in the model can be quantised; what running throws
 *   (see {@link openRunner}); `ABORTED`
 * @example
 * const ranges = await onnx.calibrate(model, [{ images: first }, { images: second }])
 * await onnx.transform(model, [onnx.quantize({ ranges })])
 */
export async function calibrate(
  model: Model,
  samples: CalibrationSamples,
  options: CalibrateOptions = {},
): Promise<Record<string, number>> {
  checkOptions('calibrate', options, CHECKS)
  const { method = 'percentile', percentile = 99.99, threads, signal, onProgress, ...selection } = options
  const { nodes, left } = planQuantization(model, { ...SELECTION_DEFAULTS, ...selection })
  const names = [...new Set(nodes.map(({ activation }) => activation.name))]
  if (names.length === 0) {
    const reasons = [...left].map(([reason, stay]) => `${stay.length} nodes, as ${reason}`)
    throw new TrtError(
      'INVALID_ARGUMENT',
      `calibrate: nothing in the model is to be quantised${reasons.length === 0 ? '' : `: float32 stays in ${reasons.join('; ')}`}`,
      { hint: 'select other nodes, or fewer channels with minChannels' },
    )
  }
  const collector = collectorFor(model, names, method, percentile, signal)
  const runnerOptions: RunnerOptions = {
    outputs: collector.outputs,
    optimization: 'all',
    ...(threads && { threads }),
    ...(signal && { signal }),
  }
  await using runner = await openExtended(model, runnerOptions, collector.nodes)
  let running: Promise<Record<string, Tensor>> | undefined
  let done = 0
  const finish = async (run: Promise<Record<string, Tensor>>): Promise<void> => {
    await collector.add(await run)
    onProgress?.({ samples: ++done })
  }
  for await (const sample of samples) {
    throwIfAborted('calibrate', signal)
    const next = runner.run(sample)
    // Its failure is told when its turn comes; until then nobody waits for it.
    next.catch(() => {})
    if (running !== undefined) await finish(running)
    running = next
  }
  if (running === undefined) {
    throw new TrtError('INVALID_ARGUMENT', 'calibrate: expected one sample or more, received none', {
      hint: 'onnx.calibrate(model, [{ input: tensor }])',
    })
  }
  await finish(running)
  throwIfAborted('calibrate', signal)
  return collector.ranges()
}
