/**
 * A child process whose life is tied to its owner, for native work that may crash, exhaust memory, or must be ended.
 *
 * 1. The child dies when its owner goes: the process by any way (`process.exit()`, SIGKILL, a crash), or the worker
 *    thread that started it (`worker.terminate()` runs no JavaScript, but closes the thread's pipes). The sign is the end
 *    of the lifeline, a pipe that is watched on a thread of the child, so that it works during a long native call too.
 * 2. An idle child does not keep the owner's process alive; one that works on a request does.
 * 3. The child leads a session of its own: Ctrl-C at the terminal reaches the owner only, which either dies, and the
 *    child with it (1), or shuts down in an orderly way and may need the child for that.
 * 4. Messages are JSON: a round trip takes 71 µs, against 197 µs with `serialization: 'advanced'` (2 cores, Node 20).
 *    Bulk data goes through a {@link ScratchFile}.
 *
 * Known limit: a child whose owning worker thread was terminated is dead, but stays in the process table as a zombie
 * until the process ends, since Node reaps children on the event loop that started them. A double fork would hand it
 * to init, but would hide crashes (no exit status) and leaves a zombie per child where Node itself is process 1.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { messageOf, TrtError } from '../errors.js'
import type { ReplyMessage, RequestMessage } from './protocol.js'

/** How much of the end of a child's stderr is kept, in characters. */
const STDERR_TAIL = 8192

/** Options of {@link HostProcess.start}. */
export interface HostOptions {
  /** File descriptors that the child inherits, the first as its fd 5 (see `FIRST_FILE_FD`). */
  readonly files?: readonly number[]
  /** How error messages name the child, e.g. `'The TensorRT build process'`. */
  readonly name?: string
  /** Takes what the child writes to stderr, line by line. */
  readonly onStderr?: (line: string) => void
}

/** How a child ended. `code` and `signal` are both null where it could not be started at all. */
export interface HostEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last 8192 characters that it wrote to stderr. */
  readonly stderr: string
}

interface PendingRequest {
  resolve(result: unknown): void
  reject(error: TrtError): void
  readonly onEvent: ((event: never) => void) | undefined
}

/** See the head of this file. */
export class HostProcess {
  /** Undefined where the process could not be started. */
  readonly pid: number | undefined
  /** Resolves once the child is gone; never rejects. Does not keep the process alive by itself. */
  readonly ended: Promise<HostEnd>

  readonly #name: string
  readonly #child: ChildProcess | undefined
  readonly #pending = new Map<number, PendingRequest>()
  #nextId = 0
  #holds = 0
  #stderr = ''
  #end: HostEnd | undefined
  #killed = false

  /** Starts `script`, which has to call `serve` first thing. Does not wait: requests may be made at once. */
  static start(script: URL, options: HostOptions = {}): HostProcess {
    return new HostProcess(script, options)
  }

  private constructor(script: URL, options: HostOptions) {
    this.#name = options.name ?? 'The child process'
    try {
      this.#child = spawn(process.execPath, [fileURLToPath(script)], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe', ...(options.files ?? [])],
        env: childEnvironment(),
        detached: true,
        windowsHide: true,
      })
    } catch (error) {
      this.#stderr = messageOf(error)
    }
    this.pid = this.#child?.pid
    this.ended = this.#watch(this.#child, options.onStderr).then((end) => {
      this.#end = end
      for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(this.#endError(end))
      return end
    })
  }

  /** Whether the child has ended. */
  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  /**
   * Asks the child; `payload`, events and result cross as JSON. Requests are handed to the child in the order of calls.
   * @throws {TrtError} what the child's handler threw; `PROCESS_CRASHED` where the child ends before it answers
   */
  request<Result, Event = unknown>(type: string, payload?: unknown, onEvent?: (event: Event) => void): Promise<Result> {
    if (this.#end !== undefined) return Promise.reject(this.#endError(this.#end))
    const id = this.#nextId++
    return new Promise<Result>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject, onEvent })
      this.#hold()
      const message: RequestMessage = { id, type, payload }
      // A failed send means that the child is ending, which rejects the request with more to say.
      if (this.#child?.connected) this.#child.send(message, () => {})
    })
  }

  /** Ends the child by SIGKILL and resolves when it is gone. Requests in flight reject. */
  async kill(): Promise<void> {
    this.#hold()
    this.#killed = true
    this.#child?.kill('SIGKILL')
    await this.ended
    this.#release()
  }

  #watch(child: ChildProcess | undefined, onStderr: HostOptions['onStderr']): Promise<HostEnd> {
    if (child === undefined) return Promise.resolve({ code: null, signal: null, stderr: this.#stderr })
    child.on('message', (message) => this.#receive(message as ReplyMessage))
    // Nobody could tell such a child anything any more.
    child.on('disconnect', () => child.kill('SIGKILL'))
    const stderr = child.stderr as Readable | null
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL)
    })
    if (onStderr !== undefined && stderr) forEachLine(stderr, onStderr)
    const lifeline = child.stdio?.[4] as Readable | null | undefined
    lifeline?.on('error', () => {}).resume()
    for (const handle of this.#handles()) handle.unref()

    return new Promise<HostEnd>((resolve) => {
      child.on('error', (error) => {
        // Also told of a failed send or kill, which is no end.
        if (child.pid === undefined) resolve({ code: null, signal: null, stderr: messageOf(error) })
      })
      // 'close' comes after 'exit', once all of stderr has been read.
      child.on('close', (code, signal) => resolve({ code, signal, stderr: this.#stderr }))
    })
  }

  #receive(message: ReplyMessage): void {
    if ('event' in message) {
      this.#pending.get(message.id)?.onEvent?.(message.event as never)
    } else if ('error' in message) {
      this.#settle(message.id)?.reject(TrtError.fromJSON(message.error))
    } else {
      // JSON drops a result of undefined together with its key.
      this.#settle(message.id)?.resolve((message as { result?: unknown }).result)
    }
  }

  #settle(id: number): PendingRequest | undefined {
    const pending = this.#pending.get(id)
    if (pending !== undefined) {
      this.#pending.delete(id)
      this.#release()
    }
    return pending
  }

  #hold(): void {
    if (this.#holds++ === 0) for (const handle of this.#handles()) handle.ref()
  }

  #release(): void {
    if (--this.#holds === 0) for (const handle of this.#handles()) handle.unref()
  }

  /** What keeps an event loop alive. */
  #handles(): { ref(): void; unref(): void }[] {
    const child = this.#child
    if (child === undefined) return []
    const handles = [child, child.channel, child.stderr, child.stdio?.[4]]
    return handles.filter((handle) => handle != null) as unknown as { ref(): void; unref(): void }[]
  }

  #endError(end: HostEnd): TrtError {
    if (this.#killed) return new TrtError('PROCESS_CRASHED', `${this.#name} was ended by this process`)
    const how =
      end.signal !== null
        ? `ended by signal ${end.signal}`
        : end.code !== null
          ? `ended with exit code ${end.code}`
          : 'could not be started'
    const output = end.stderr.trim()
    const hint =
      end.signal === 'SIGKILL'
        ? 'Where memory ran out, the kernel kills processes so: `dmesg | tail` tells.'
        : 'The last lines that it wrote are in the message.'
    return new TrtError('PROCESS_CRASHED', `${this.#name} ${how}${output === '' ? '' : `:\n${output}`}`, { hint })
  }
}

/**
 * The owner's environment, except that in Electron the child has to be plain Node, and that a debugger of the owner
 * must not be opened twice on one port. Other NODE_OPTIONS stay: Yarn's Plug'n'Play resolves packages by them.
 */
function childEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_NO_WARNINGS: '1' }
  if (env.NODE_OPTIONS !== undefined) env.NODE_OPTIONS = env.NODE_OPTIONS.replaceAll(/--inspect(-\w+)*(=\S+)?/g, '')
  return env
}

function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
