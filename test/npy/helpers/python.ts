import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestContext } from 'vitest'

/** A Python that has NumPy: the one that `npm test` set up, or the project's own. Skips the test where there is none. */
export function numpyPython(ctx: TestContext): string {
  const python = process.env.TENSORRT_NODE_TEST_PYTHON ?? '.cache/python/bin/python'
  if (!existsSync(python)) return ctx.skip(`there is no Python at ${python}; npm test sets one up`)
  try {
    execFileSync(python, ['-c', 'import numpy'], { stdio: 'pipe' })
  } catch {
    return ctx.skip(`${python} has no NumPy`)
  }
  return python
}
