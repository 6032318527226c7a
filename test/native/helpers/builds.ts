import type { BuildOptions } from 'tensorrt-node'
import { makeModel, node } from '../../helpers/onnx-model.ts'
import { type FixtureOptions, resultOf } from './run-fixture.ts'

/** What a builder was told, in order: the call and its arguments, as TensorRT's headers name them. */
export type Told = readonly [call: string, ...args: unknown[]]

export interface BuildOutcome {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | null
  readonly told: readonly Told[]
  /** The builder's flags when it built. */
  readonly flags: readonly string[]
  readonly networkFlags: readonly string[]
  readonly profiles: readonly unknown[]
  readonly progress: readonly { phase: string; parents: string[]; step: number; steps: number }[]
  readonly logs: readonly string[]
  readonly header: readonly number[]
  readonly bytes: number
  readonly version: string
  readonly precision: string
  readonly warnings: readonly string[]
  readonly alive: object
}

type Options = Partial<BuildOptions> & {
  readonly writes?: { readonly path: string; readonly text: string }
  readonly cancelAt?: number
}

/** y = −x for x of [N, 3]. */
export const DYNAMIC = makeModel({
  inputs: { x: ['float32', ['N', 3]] },
  outputs: { y: ['float32', ['N', 3]] },
  nodes: [node('Neg', ['x'], ['y'])],
})

/** y = a − b for vectors of 2. */
export const STATIC = makeModel({
  inputs: { a: ['float32', [2]], b: ['float32', [2]] },
  outputs: { y: ['float32', [2]] },
  nodes: [node('Sub', ['a', 'b'], ['y'])],
})

export const RANGE = { min: [1, 3], opt: [2, 3], max: [4, 3] }

/** Builds `model` once with each of `sets`, in one process, on the doubles. */
export async function buildAll(
  model: Uint8Array,
  sets: readonly Options[],
  options: FixtureOptions = {},
): Promise<BuildOutcome[]> {
  const args = [Buffer.from(model).toString('base64'), sets]
  const { outcomes, misuses } = await resultOf('build', { ...options, args })
  if (misuses.length > 0) throw new Error(misuses.join('\n'))
  // biome-ignore lint/suspicious/noExplicitAny: JSON of the fixture
  return outcomes.map(({ plan, ...rest }: any) => ({
    ...rest,
    told: plan?.builder.config.calls.map((call: object) => Object.values(call)) ?? [],
    flags: plan?.builder.config.flags ?? [],
    networkFlags: plan?.builder.network.flags ?? [],
    profiles: plan?.builder.config.profiles ?? [],
  }))
}
