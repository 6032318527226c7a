import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { acquireLock } from '#dist/service/cache-lock.js'
import { failure } from '../helpers/errors.ts'

/** A process that holds the lock. */
async function holder(name: string, platform: NodeJS.Platform): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['test/service/fixtures/hold-lock.mjs', name, platform])
  const [said] = await once(child.stdout, 'data')
  expect(String(said)).toBe('held')
  return child
}

test('one holds it at a time; who waits is told when it is free', async () => {
  const name = randomUUID()
  const release = await acquireLock(name)
  expect(release).toBeTypeOf('function')
  let told = false
  const waits = Array.from({ length: 20 }, () => acquireLock(name).then((got) => [got, told]))
  expect((await acquireLock(`${name} another`))?.()).toBeUndefined()
  told = true
  release?.()
  expect(await Promise.all(waits)).toEqual(waits.map(() => [undefined, true]))
  const again = await acquireLock(name)
  expect(again).toBeTypeOf('function')
  again?.()
})

// 'darwin' stands for every platform whose sockets are files.
test.each(['linux', 'darwin'] as const)(
  'the lock of a process that is killed is free at once (%s)',
  async (platform) => {
    const name = randomUUID()
    const child = await holder(name, platform)
    const waiting = acquireLock(name, undefined, platform)
    child.kill('SIGKILL')
    expect(await waiting).toBeUndefined()
    // Where the socket is a file, the first to come finds it and takes it away.
    const release = (await acquireLock(name, undefined, platform)) ?? (await acquireLock(name, undefined, platform))
    expect(release).toBeTypeOf('function')
    release?.()
  },
)

test('the lock of a worker thread that is terminated is free at once', async () => {
  const name = randomUUID()
  const worker = new Worker(
    `import('#dist/service/cache-lock.js').then(async ({ acquireLock }) => {
      await acquireLock(${JSON.stringify(name)})
      require('node:worker_threads').parentPort.postMessage('held')
      setInterval(() => {}, 1000)
    })`,
    { eval: true },
  )
  await once(worker, 'message')
  const waiting = acquireLock(name)
  await worker.terminate()
  expect(await waiting).toBeUndefined()
})

test('waiting can be aborted', async () => {
  const name = randomUUID()
  const release = await acquireLock(name)
  const controller = new AbortController()
  const waiting = failure('ABORTED', () => acquireLock(name, controller.signal))
  controller.abort()
  await waiting
  await failure('ABORTED', () => acquireLock(name, AbortSignal.abort()))
  release?.()
})
