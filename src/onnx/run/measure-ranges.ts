import { TrtError, throwIfAborted } from '../../errors.js'
import { toNumbers } from '../../npy/numbers.js'
import type { Tensor, TensorLike } from '../../tensor.js'
import type { Model } from '../model/model.js'
import { inGroups } from './in-groups.js'
import { openRunner, type RunnerOptions } from './runner.js'
import { valueBytes } from './value-bytes.js'

/** Options of {@link measureRanges}. */
export interface MeasureRangesOptions extends Pick<RunnerOptions, 'threads' | 'signal'> {
  /** Told how many values of how many were measured. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

/**
 * The greatest magnitude of each float32 value of the main graph, on inputs of yours: what `convert-precision` keeps in
 * float32 where float16 would overflow or grow coarse. Runs the model as it is on onnxruntime's CPU; values are given out in
 * groups, so that memory stays bounded.
 *
 * @param samples inputs by name, one object for each run; the more like real ones, the better
 * @returns |x| by the value's name; infinite where a value is infinite or NaN
 * @throws {TrtError} `INVALID_ARGUMENT` without samples; what running throws (see {@link openRunner})
 * @example
 * const ranges = await onnx.measureRanges(model, [{ images: first }, { images: second }])
 * await onnx.transform(model, [onnx.convertPrecision({ ranges })])
 */
export async function measureRanges(
  model: Model,
  samples: readonly { readonly [input: string]: TensorLike }[],
  { threads, signal, onProgress }: MeasureRangesOptions = {},
): Promise<Record<string, number>> {
  if (samples.length === 0) {
    throw new TrtError('INVALID_ARGUMENT', 'measureRanges: expected one sample or more, received none', {
      hint: 'onnx.measureRanges(model, [{ input: tensor }])',
    })
  }
  const ranges: Record<string, number> = {}
  const note = (name: string, tensor: Tensor): void => {
    if (tensor.type !== 'float32') return
    ranges[name] = Math.max(ranges[name] ?? 0, magnitude(tensor))
  }
  const nodes = model.graph.nodes.filter(({ opType }) => opType !== 'Constant')
  const names = nodes.flatMap(({ outputs }) => outputs.flatMap((value) => value?.name ?? []))
  const visit = async (group: readonly string[]): Promise<number> => {
    let bytes = 0
    const options = { outputs: group, optimization: 'disabled', ...(threads && { threads }), ...(signal && { signal }) }
    await using runner = await openRunner(model, options as RunnerOptions)
    for (const sample of samples) {
      throwIfAborted('measureRanges', signal)
      const results = Object.entries(await runner.run(sample))
      for (const [name, tensor] of results) note(name, tensor)
      bytes = Math.max(
        bytes,
        results.reduce((sum, [, { data }]) => sum + data.byteLength, 0),
      )
    }
    return bytes
  }
  await inGroups(
    names,
    valueBytes(model, samples[0] as { readonly [input: string]: TensorLike }),
    visit,
    () => true,
    (done, total) => onProgress?.({ done, total }),
  )
  return ranges
}

function magnitude(tensor: Tensor): number {
  const values = toNumbers(tensor)
  let greatest = 0
  for (let at = 0; at < values.length; at++) {
    const x = Math.abs(values[at] as number)
    // NaN is not greater than anything, and not less.
    if (!(x <= greatest)) greatest = Number.isNaN(x) ? Infinity : x
  }
  return greatest
}
