import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'

/** The command line as its users start it. */
export const CLI = resolve('dist/cli/main.js')

export interface CliRun {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Whether it leads a process group of its own, as a command in a terminal does. */
  readonly ownGroup?: boolean
  /** Gets the process once it runs. */
  readonly onStart?: (child: ChildProcess) => void
}

/** Runs the built `tensorrt-node` in a process of its own, with pipes for its streams, until it ends. */
export async function runCli(
  args: readonly string[],
  { env, ownGroup = false, onStart }: CliOptions = {},
): Promise<CliRun> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, FORCE_COLOR: '', ...env },
    detached: ownGroup,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onStart?.(child)
  const exit = new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  })
  const [code, stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr }
}

/** The document of a `--json` run: the whole of stdout has to be it. */
export function documentOf({ stdout }: CliRun): Record<string, unknown> {
  return JSON.parse(stdout) as Record<string, unknown>
}
