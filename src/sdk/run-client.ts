import { type ChildProcess, spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { abortedError, messageOf, TrtError, throwIfAborted } from '../errors.js'
import type { Logger } from '../options.js'

/** How long a client has to end by itself after SIGTERM. */
const GRACE_MS = 2000
/** Lines of a client's output that an error shows. */
const TAIL_LINES = 24

/** A package client, and how to run it. */
export interface ClientRun {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** What the run is for, to name it in errors: `'installing rtx'`. */
  readonly purpose: string
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  readonly signal: AbortSignal | undefined
  readonly logger: Logger | undefined
  /** The fix to name where the client fails. */
  readonly hint: string
}

/**
 * Runs a package client to its end.
 *
 * The client leads a process group of its own: pip and mvn are shell scripts on some machines (pyenv, Debian) with the
 * real client below, and what is ended has to be the group. It never outlives this process, short of a SIGKILL here.
 *
 * @throws {TrtError} `SDK_INSTALL_FAILED` with the client's last lines; `ABORTED`
 */
export async function runClient(run: ClientRun): Promise<void> {
  const { command, purpose, cwd, env, signal, logger, hint } = run
  throwIfAborted(purpose, signal)
  const [program, ...args] = command
  logger?.debug(`$ ${command.join(' ')}`)
  const lines: string[] = []
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const onLine = (line: string): void => {
    const text = stripVTControlCharacters(line).trimEnd()
    if (text === '') return
    lines.push(text)
    if (lines.length > TAIL_LINES) lines.shift()
    logger?.info(text)
  }
  const killAtExit = (): void => killGroup(child, 'SIGKILL')
  let killTimer: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    killGroup(child, 'SIGTERM')
    killTimer = setTimeout(killAtExit, GRACE_MS)
  }
  process.on('exit', killAtExit)
  signal?.addEventListener('abort', onAbort)
  try {
    const end = await endOf(child, onLine)
    if (signal?.aborted) throw abortedError(purpose, signal)
    if (end !== undefined) {
      throw new TrtError('SDK_INSTALL_FAILED', `${purpose}: ${program} ${end}${tail(lines)}`, { hint })
    }
  } finally {
    clearTimeout(killTimer)
    signal?.removeEventListener('abort', onAbort)
    process.off('exit', killAtExit)
    // A client that was killed may leave others of its group behind.
    if (signal?.aborted) killAtExit()
  }
}

function tail(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `. Its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Gone already.
  }
}

/** Resolves at the end of the child: `undefined` where all went well, else how it ended. */
function endOf(child: ChildProcess, onLine: (line: string) => void): Promise<string | undefined> {
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue
    let rest = ''
    stream.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split(/\r?\n|\r/)
      rest = parts.pop() ?? ''
      for (const part of parts) onLine(part)
    })
    stream.on('end', () => onLine(rest))
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`could not be started: ${messageOf(error)}`))
    child.on('close', (code, signal) => {
      resolve(code === 0 ? undefined : signal ? `was ended by ${signal}` : `ended with exit code ${code}`)
    })
  })
}
