import { makeModel, node } from '../../helpers/onnx-model.ts'
import type { FixtureOptions, FixtureOutcome } from './run-fixture.ts'

const MODEL = makeModel({
  inputs: { x: ['float32', [2]] },
  outputs: { y: ['float32', [2]] },
  nodes: [node('Neg', ['x'], ['y'])],
})

/** How a process can end while native threads build and infer in it (fixtures/exit.mjs), and what {@link endOf} then says. */
export const EXITS = {
  exit: { code: 7, signal: null, misuses: [] },
  'exit beside a worker': { code: 7, signal: null, misuses: [] },
  throw: { code: 1, signal: null, misuses: [] },
  signal: { code: null, signal: 'SIGTERM', misuses: [] },
  'terminate a worker': { code: 7, signal: null, misuses: [] },
} as const
export type Way = keyof typeof EXITS

/** The options for leaving in one way at one of many moments, which are spread over what the fixture does again and again. */
export function exitAt(way: Way, moment: number): FixtureOptions {
  const env = { TRT_DOUBLE_SEED: String(moment), TRT_DOUBLE_BUILD_STEP_MS: '1' }
  return { args: [way, (moment * 7) % 41, Buffer.from(MODEL).toString('base64')], env }
}

/** How a process ended, and what the doubles objected to until then, which its exit code need not say. */
export function endOf({ code, signal, stderr }: FixtureOutcome) {
  return { code, signal, misuses: stderr.split('\n').filter((line) => line.startsWith('TRT_DOUBLE misuse')) }
}
