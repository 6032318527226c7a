// How a real build ends before its end: cancelled, crashed, out of memory, its process or its worker gone.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type * as trt from 'tensorrt-node'
import { expect, it } from 'vitest'
import { failure } from '../../helpers/errors.ts'
import { childrenOf, isRunning } from '../../helpers/processes.ts'
import { buildDetector, needsRtx } from './rtx.ts'

needsRtx()

const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url)

/** The process that builds, once TensorRT is at work in it. */
function buildProcess(): number {
  const [pid] = childrenOf().filter((child) => readFileSync(`/proc/${child}/cmdline`, 'latin1').includes('build-child'))
  if (pid === undefined) throw new Error('there is no build process')
  return pid
}

/** Begins a build and does `act` in the midst of it. */
async function midBuild(
  isolation: 'thread' | 'process',
  act: () => void,
  signal?: AbortSignal,
): Promise<trt.BuildResult> {
  let acted = false
  return buildDetector({
    isolation,
    ...(signal ? { signal } : {}),
    onProgress: ({ step }) => {
      if (acted || step === 0) return
      acted = true
      act()
    },
  })
}

it.each(['thread', 'process'] as const)(
  'ends when it is cancelled (%s), and leaves nothing behind',
  async (isolation) => {
    const cancel = new AbortController()
    const reason = new Error('changed my mind')
    let pid: number | undefined
    const error = await failure('ABORTED', () =>
      midBuild(
        isolation,
        () => {
          if (isolation === 'process') pid = buildProcess()
          cancel.abort(reason)
        },
        cancel.signal,
      ),
    )
    expect(error.cause).toBe(reason)
    if (pid !== undefined) expect(isRunning(pid)).toBe(false)
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith('tensorrt-node-'))).toEqual([])
    // The process goes on as if nothing had been.
    expect((await buildDetector({ isolation })).plan.byteLength).toBeGreaterThan(0)
  },
)

it('turns a crash inside TensorRT into an error', async () => {
  const error = await failure('PROCESS_CRASHED', () =>
    midBuild('process', () => process.kill(buildProcess(), 'SIGSEGV')),
  )
  expect(error.message).toContain('SIGSEGV')
})

it('turns running out of memory inside TensorRT into an error', async (ctx) => {
  try {
    execFileSync('prlimit', ['--version'])
  } catch {
    ctx.skip('prlimit (util-linux) is not here')
  }
  const limit = (): void => {
    const pid = buildProcess()
    // What it has already, and not a page more.
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[0])
    execFileSync('prlimit', ['--pid', String(pid), `--as=${pages * 4096}`])
  }
  const error = await midBuild('process', limit).then(
    () => undefined,
    (error: trt.TrtError) => error,
  )
  // Which allocation finds none left is luck. Most throw bad_alloc, and are told as what they are; some of TensorRT's own
  // compiler it notices as a null pointer, "MyelinCheckException: … CHECK(p) failed", and says nothing of memory.
  expect(`${error?.code}: ${error?.message}`).toMatch(/^(OUT_OF_MEMORY: |BUILD_FAILED: [\s\S]*MyelinCheckException)/)
  expect((await buildDetector({ isolation: 'process' })).plan.byteLength).toBeGreaterThan(0)
})

it('keeps the exit code when the process exits during a build', async () => {
  for (const isolation of ['thread', 'process']) {
    for (const when of ['first', 'middle', 'late']) {
      const child = spawn(process.execPath, [fileURLToPath(fixture('exit.mjs')), isolation, when], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const output: string[] = []
      child.stderr.setEncoding('utf8').on('data', (text: string) => output.push(text))
      const [code, signal] = await once(child, 'close')
      expect({ isolation, when, code, signal, stderr: output.join('') }).toEqual({
        isolation,
        when,
        code: 7,
        signal: null,
        stderr: '',
      })
    }
  }
})

it('builds in several workers at once, and survives the end of one', async () => {
  const start = (): Worker => new Worker(fixture('worker.mjs'))
  const hears = (worker: Worker, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      worker.on('message', (message) => message === what && resolve()).on('error', reject)
    })
  const doomed = start()
  const others = [start(), start()]
  const done = others.map((worker) => hears(worker, 'vtrt'))
  await hears(doomed, 'working')
  await doomed.terminate()
  await Promise.all(done)
  expect((await buildDetector()).plan.byteLength).toBeGreaterThan(0)
})
