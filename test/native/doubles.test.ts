/** The libcuda double itself: what the addon does not use of it yet, and what it must object to. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { ROOT, skipWithoutDoubles } from './helpers/run-fixture.ts'

beforeEach(skipWithoutDoubles)

const DOUBLES = join(ROOT, 'build', 'doubles')

/** Exit code and words of one case of native/test/self_test/main.cc. */
async function selfTest(name: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number; stderr: string }> {
  const args = [join(DOUBLES, 'cuda', 'libcuda.so.1'), name]
  try {
    const { stderr } = await promisify(execFile)(join(DOUBLES, 'common', 'self_test'), args, {
      env: { ...process.env, ...env },
    })
    return { code: 0, stderr }
  } catch (error) {
    return error as { code: number; stderr: string }
  }
}

describe('the libcuda double', () => {
  it.each(['roundTrip', 'eventsOrderStreams', 'copyIsLate', 'graphReplays'])(
    'does as CUDA documents: %s',
    async (name) => {
      for (const seed of ['1', '2', '3']) {
        expect(await selfTest(name, { TRT_DOUBLE_SEED: seed })).toMatchObject({ code: 0, stderr: '' })
      }
    },
  )

  it('has as much memory as it was told', async () => {
    expect(await selfTest('memoryRunsOut', { TRT_DOUBLE_MEMORY: '1000' })).toMatchObject({ code: 0, stderr: '' })
  })

  it.each([
    ['pastTheEnd', '8 bytes at offset 4 run past a device allocation of 8 bytes'],
    ['useAfterFree', 'use after free of a device allocation'],
    ['freedTwice', 'freed twice'],
    ['freedWhileUsed', 'queued work still uses the device allocation'],
    ['noContext', 'no context is current on the calling thread'],
    ['defaultStream', 'a default stream'],
    ['staleStream', 'not a live stream'],
    ['leak', 'a device allocation of 8 bytes was not freed'],
    ['callFromStream', 'called from a host function of a stream'],
  ])('objects to %s', async (name, words) => {
    const { code, stderr } = await selfTest(name)
    expect(stderr).toContain(words)
    expect(code).toBe(97)
  })
})
