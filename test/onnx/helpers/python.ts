import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestContext } from 'vitest'

/** Runs a script in Python and gives what it prints. */
export type RunPython = (script: string, ...args: string[]) => string

/** A Python that has onnx: the one that `npm test` set up, or the project's own. Skips the test where there is none. */
export function onnxPython(ctx: TestContext): RunPython {
  const python = process.env.TENSORRT_NODE_TEST_PYTHON ?? '.cache/python/bin/python'
  if (!existsSync(python)) return ctx.skip(`there is no Python at ${python}; npm test sets one up`)
  const run: RunPython = (script, ...args) =>
    execFileSync(python, ['-c', script, ...args], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  try {
    run('import onnx, numpy')
  } catch {
    return ctx.skip(`${python} has no onnx`)
  }
  return run
}
