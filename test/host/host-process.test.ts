import { execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { TrtError } from '#dist/errors.js'
import { type HostOptions, HostProcess } from '#dist/host/host-process.js'
import { isRunning, untilEnded } from '../helpers/processes.js'

const CHILD = new URL('./fixtures/child.mjs', import.meta.url)
const OWNER = new URL('./fixtures/owner.mjs', import.meta.url)

const hosts: HostProcess[] = []
function start(options?: HostOptions): HostProcess {
  const host = HostProcess.start(CHILD, options)
  hosts.push(host)
  return host
}
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.kill()))
})

describe('requests', () => {
  it('answers with results and events, in order', async () => {
    const host = start()
    const events: number[] = []
    const [echo, count] = await Promise.all([
      host.request('echo', { a: [1, 'x', null] }),
      host.request('count', 3, (event: number) => events.push(event)),
    ])
    expect(echo).toEqual({ a: [1, 'x', null] })
    expect(count).toBe(3)
    expect(events).toEqual([0, 1, 2])
  })

  it('carries a TrtError across, with its code and hint', async () => {
    const error = await start()
      .request('refuse')
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TrtError)
    expect(error).toMatchObject({ code: 'UNSUPPORTED', message: 'not here', hint: 'elsewhere' })
  })

  it('tells a bug in the child with its stack', async () => {
    await expect(start().request('bug')).rejects.toMatchObject({
      code: 'PROCESS_CRASHED',
      message: expect.stringMatching(/RangeError: a bug\n.*child\.mjs/s),
    })
  })

  it('refuses what the child does not know', async () => {
    await expect(start().request('nonsense')).rejects.toThrow('nonsense')
  })
})

describe('an end during a request', () => {
  it('rejects every request in flight with the signal and the last of stderr, and every later one', async () => {
    const lines: string[] = []
    const host = start({ name: 'The test process', onStderr: (line) => lines.push(line) })
    const inFlight = [host.request('crash'), host.request('echo', 1)]
    for (const request of inFlight) {
      await expect(request).rejects.toMatchObject({
        code: 'PROCESS_CRASHED',
        message: expect.stringMatching(/^The test process ended by signal SIGABRT:\n.*about to abort/s),
      })
    }
    await expect(host.request('echo', 1)).rejects.toMatchObject({ code: 'PROCESS_CRASHED' })
    expect(await host.ended).toMatchObject({ code: null, signal: 'SIGABRT' })
    expect(lines).toContain('about to abort')
  })

  it('tells the exit code, and process.exit() in the child is not held up by the watchdog', async () => {
    await expect(start().request('exit', 7)).rejects.toThrow('exit code 7')
  })

  it('kill() ends a blocked child', async () => {
    const host = start()
    await host.request('echo', 1)
    const blocked = host.request('block').catch((error: unknown) => error)
    await host.kill()
    expect(isRunning(host.pid as number)).toBe(false)
    expect(await blocked).toMatchObject({ code: 'PROCESS_CRASHED' })
    await host.kill()
  })

  it('does not touch a sibling', async () => {
    const [one, other] = [start(), start()]
    await expect(one.request('crash')).rejects.toThrow('SIGABRT')
    expect(await other.request('echo', 'alive')).toBe('alive')
  })

  it('a script that is not there is an end too', async () => {
    const host = HostProcess.start(new URL('./fixtures/no-such-file.mjs', import.meta.url))
    await expect(host.request('echo')).rejects.toMatchObject({
      code: 'PROCESS_CRASHED',
      message: expect.stringContaining('no-such-file.mjs'),
    })
  })
})

it('a process that cannot be started says so, in every request', async () => {
  const { execPath } = process
  process.execPath = '/no/such/node'
  try {
    const host = start()
    await expect(host.request('echo')).rejects.toMatchObject({
      code: 'PROCESS_CRASHED',
      message: expect.stringMatching(/could not be started.*ENOENT/s),
    })
    expect(await host.ended).toMatchObject({ code: null, signal: null })
    await expect(host.request('echo')).rejects.toThrow('ENOENT')
  } finally {
    process.execPath = execPath
  }
})

describe('the owner goes', () => {
  async function ownerProcess(mode: string): Promise<{ owner: ReturnType<typeof spawn>; pid: number }> {
    const owner = spawn(process.execPath, [fileURLToPath(OWNER), mode], { stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = await new Promise<number>((resolve) => owner.stdout.on('data', (data) => resolve(Number(data))))
    return { owner, pid }
  }

  it.each(['block', 'block-at-once'])('SIGKILL of the owner ends a child that blocks (%s)', async (mode) => {
    const { owner, pid } = await ownerProcess(mode)
    expect(isRunning(pid)).toBe(true)
    owner.kill('SIGKILL')
    await untilEnded(pid)
  })

  it.each(['block', 'block-at-once'])('worker.terminate() ends a child that blocks (%s)', async (mode) => {
    const worker = new Worker(OWNER, { workerData: mode })
    const pid = await new Promise<number>((resolve) => worker.once('message', resolve))
    expect(isRunning(pid)).toBe(true)
    await worker.terminate()
    await untilEnded(pid)
  })

  it('Ctrl-C reaches the owner only, which may need the child to shut down', async () => {
    const owner = spawn(process.execPath, [fileURLToPath(OWNER), 'graceful'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    let output = ''
    // As a terminal does: to the whole process group.
    owner.stdout.once('data', () => process.kill(-(owner.pid as number), 'SIGINT'))
    owner.stdout.on('data', (data) => {
      output += data
    })
    expect(await new Promise((resolve) => owner.once('close', resolve))).toBe(0)
    expect(output).toMatch(/^\d+\nbye\n$/)
    await untilEnded(Number.parseInt(output, 10))
  })

  it('an idle child does not keep its owner', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(OWNER), 'idle'])
    await untilEnded(Number(stdout))
  })
})

describe('what the child is given', () => {
  it('inherits files from fd 5 on', async () => {
    const fd = openSync(CHILD, 'r')
    try {
      expect(await start({ files: [fd] }).request('readFile', 13)).toBe('// A child fo')
    } finally {
      closeSync(fd)
    }
  })

  it('is spared the debugger of its owner, and keeps other NODE_OPTIONS', async () => {
    const before = process.env.NODE_OPTIONS
    process.env.NODE_OPTIONS = '--inspect=0 --max-old-space-size=512 --inspect-brk'
    try {
      const { argv, options } = await start().request<{ argv: string[]; options: string }>('environment')
      expect(argv).toEqual([])
      expect(options.trim()).toBe('--max-old-space-size=512')
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS
      else process.env.NODE_OPTIONS = before
    }
  })
})
