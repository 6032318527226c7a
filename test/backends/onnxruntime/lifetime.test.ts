// Whatever ends while a model runs: exit codes are as they should be, siblings go on, and no process is left.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import * as trt from 'tensorrt-node'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { slowModel } from '../../helpers/onnx-model.js'
import { childrenOf, isRunning, untilBusy, untilEnded } from '../../helpers/processes.js'

const CALLER = new URL('./fixtures/caller.mjs', import.meta.url)
const TIMES = 50
const LONG = 300_000

const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-'))
const file = join(folder, 'slow.engine')
let sibling: trt.Engine
/** The children of this process that belong to no test: those of vitest, and the sibling's. */
let others: number[]

function rounds(count: number): { rounds: trt.Tensor } {
  return { rounds: new trt.Tensor('int64', BigInt64Array.of(BigInt(count)), []) }
}

function newChildren(): number[] {
  return childrenOf().filter((pid) => !others.includes(pid))
}

beforeAll(async () => {
  const built = await trt.buildEngine({ onnx: slowModel(), backend: 'onnxruntime' })
  await built.save(file)
  sibling = await trt.loadEngine(file)
  others = childrenOf()
})
afterEach(async () => {
  expect((await sibling.infer(rounds(5))).y?.data).toEqual(BigInt64Array.of(5n))
  expect(newChildren()).toEqual([])
})
afterAll(async () => {
  await sibling.close()
  rmSync(folder, { recursive: true })
})

/** A caller in a process of its own, and the child process in which its call is running. */
async function callingProcess(): Promise<{ caller: ChildProcess; child: number; ended: Promise<unknown[]> }> {
  const caller = spawn(process.execPath, [fileURLToPath(CALLER), file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<unknown[]>((resolve) => caller.once('close', (...how) => resolve(how)))
  await Promise.race([
    new Promise((resolve) => caller.stdout?.once('data', resolve)),
    ended.then((how) => Promise.reject(new Error(`the caller ended early: ${how}`))),
  ])
  const [child] = childrenOf(caller.pid) as [number]
  await untilBusy(child)
  return { caller, child, ended }
}

it(`process.exit() during a run, ${TIMES} times: the exit code is the caller's`, { timeout: LONG }, async () => {
  for (let i = 0; i < TIMES; i++) {
    const { caller, child, ended } = await callingProcess()
    caller.stdin?.write('exit\n')
    expect(await ended).toEqual([3, null])
    await untilEnded(child)
  }
})

it(`terminate() of the caller's worker during a run, ${TIMES} times: this process goes on`, {
  timeout: LONG,
}, async () => {
  for (let i = 0; i < TIMES; i++) {
    const worker = new Worker(CALLER, { workerData: file })
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    const [child, ...more] = newChildren() as [number]
    expect(more).toEqual([])
    await untilBusy(child)
    expect(await worker.terminate()).toBe(1)
    await untilEnded(child)
  }
})

it(`close() during a run, ${TIMES} times: the run gives its result first`, { timeout: LONG }, async () => {
  for (let i = 0; i < TIMES; i++) {
    const engine = await trt.loadEngine(file)
    const [child] = newChildren() as [number]
    const running = engine.infer(rounds(50_000))
    const closed = engine.close()
    await expect(engine.infer(rounds(1))).rejects.toMatchObject({ code: 'CLOSED' })
    expect((await running).y?.data).toEqual(BigInt64Array.of(50_000n))
    await closed
    await engine.close()
    expect(isRunning(child)).toBe(false)
  }
})

it('SIGKILL of the caller during a run ends the child', async () => {
  const { caller, child, ended } = await callingProcess()
  caller.kill('SIGKILL')
  expect(await ended).toEqual([null, 'SIGKILL'])
  await untilEnded(child)
})

it('a crash of the child rejects the calls in flight and the later ones, and close() still works', async () => {
  const engine = await trt.loadEngine(file)
  const [child] = newChildren() as [number]
  const calls = Array.from({ length: 5 }, () => engine.infer(rounds(10 ** 12)))
  const settled = Promise.allSettled(calls)
  await untilBusy(child)
  process.kill(child, 'SIGSEGV')
  for (const call of await settled) {
    expect(call).toMatchObject({
      reason: {
        code: 'PROCESS_CRASHED',
        message: expect.stringContaining('SIGSEGV'),
        hint: expect.stringContaining('loadEngine'),
      },
    })
  }
  await expect(engine.infer(rounds(1))).rejects.toMatchObject({ code: 'PROCESS_CRASHED' })
  await engine.close()
})

it('a waiting call that is aborted leaves the queue at once; a running one is left to finish', async () => {
  const engine = await trt.loadEngine(file)
  const [child] = newChildren() as [number]
  const controllers = Array.from({ length: 6 }, () => new AbortController())
  const calls = controllers.map(({ signal }, i) => engine.infer(rounds(i === 0 ? 2_000_000 : i), { signal }))
  const settled = Promise.allSettled(calls)
  await untilBusy(child)
  const finished: number[] = []
  calls.forEach((call, i) => void call.catch(() => {}).then(() => finished.push(i)))
  // The first computes, and the last waits for a slot.
  controllers[5]?.abort(new Error('waited too long'))
  await expect(calls[5]).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('waited too long') })
  controllers[0]?.abort()
  await expect(calls[0]).rejects.toMatchObject({ code: 'ABORTED' })
  // Only now may the others have their turn.
  expect(finished).toEqual([5, 0])
  const results = await settled
  expect(results.map(({ status }) => status)).toEqual([
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
  ])
  expect((await engine.infer(rounds(7))).y?.data).toEqual(BigInt64Array.of(7n))
  await engine.close()
})

it('aborting a build or a load ends its process', async () => {
  for (const start of [
    (signal: AbortSignal) => trt.buildEngine({ onnx: slowModel(), backend: 'onnxruntime', signal }),
    (signal: AbortSignal) => trt.loadEngine(file, { signal }),
  ]) {
    const controller = new AbortController()
    const work = start(controller.signal)
    const outcome = expect(work).rejects.toMatchObject({ code: 'ABORTED' })
    while (newChildren().length === 0) await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    await outcome
    expect(newChildren()).toEqual([])
  }
})

it('an engine that is dropped without close() is ended by the garbage collector, and its files with it', async () => {
  setFlagsFromString('--expose-gc')
  const gc: () => void = runInNewContext('gc')
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  await (await trt.loadEngine(file)).infer(rounds(1))
  expect(newChildren()).toHaveLength(1)
  while (newChildren().length > 0 || descriptors() > before) {
    await new Promise((resolve) => setImmediate(resolve))
    gc()
  }
})

/** What a script prints in a process of its own, which has to end well by itself. */
async function outputOf(script: string): Promise<string> {
  const caller = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  caller.stdout.on('data', (data) => {
    output += data
  })
  expect(await new Promise((resolve) => caller.once('close', resolve))).toBe(0)
  return output
}

// In a process of its own: here, descriptors of engines that earlier tests dropped may still be on their way out.
it('loading and closing leaves no descriptor', async () => {
  const output = await outputOf(`
    import { readdirSync } from 'node:fs'
    import * as trt from 'tensorrt-node'
    const loadAndClose = async () => (await trt.loadEngine(${JSON.stringify(file)})).close()
    const descriptors = () => readdirSync('/proc/self/fd').length
    await loadAndClose()
    const before = descriptors()
    for (let i = 0; i < 3; i++) await loadAndClose()
    console.log(descriptors() - before)`)
  expect(output).toBe('0\n')
})

it('an engine that is not closed does not keep the process', async () => {
  const output = await outputOf(`
    import * as trt from 'tensorrt-node'
    const engine = await trt.loadEngine(${JSON.stringify(file)})
    const { y } = await engine.infer({ rounds: new trt.Tensor('int64', BigInt64Array.of(3n), []) })
    console.log(Number(y.data[0]))`)
  expect(output).toBe('3\n')
})
