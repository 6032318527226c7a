import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { messageOf, TrtError } from '../errors.js'

/** The package clients that `sdk install` runs. */
export type ClientName = 'pip' | 'cargo' | 'mvn'

/** A program on this machine. */
export interface Tool {
  /** How to start it, e.g. `['python3', '-m', 'pip']`. */
  readonly command: readonly [string, ...string[]]
  readonly version: string
}

/** Only a program that hangs takes this long. 10 s were not enough for pip and mvn on two cores at a load of 27. */
const PROBE_TIMEOUT_MS = 60_000

/** Ways to start each client; the first that answers is taken. */
const COMMANDS: Readonly<Record<ClientName, readonly (readonly [string, ...string[]])[]>> = {
  pip: [['python3', '-m', 'pip'], ['pip3'], ['pip']],
  cargo: [['cargo']],
  mvn: [['mvn']],
}

/** How to get each client. */
export const CLIENT_HINTS: Readonly<Record<ClientName, string>> = {
  pip: 'sudo apt install python3-pip (or the like for this system)',
  cargo: 'sudo apt install cargo (or the like for this system)',
  mvn: 'sudo apt install maven (or the like for this system)',
}

/** Asks a program for its version; `undefined` where it is not there or does not work. */
export async function probeTool(
  command: readonly [string, ...string[]],
  signal?: AbortSignal,
): Promise<Tool | undefined> {
  return toolOf(await askTool(command, signal))
}

function toolOf(answer: Tool | string): Tool | undefined {
  return typeof answer === 'string' ? undefined : answer
}

/** A program, or why it is of no use, in a few words. */
async function askTool(command: readonly [string, ...string[]], signal?: AbortSignal): Promise<Tool | string> {
  const [program, ...args] = command
  try {
    const { stdout } = await promisify(execFile)(program, [...args, '--version'], {
      timeout: PROBE_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    })
    const version = /\d+(\.\d+)+/.exec(stdout)?.[0]
    return version === undefined ? 'says no version' : { command, version }
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') return 'not found'
    // Such as rustup's cargo without a toolchain, or a Python without pip.
    return /\S.*/.exec(stderr)?.[0] ?? (messageOf(error).split('\n')[0] as string)
  }
}

const known = new Map<string, Tool>()

/** Finds a client; `undefined` where there is none. A client is asked once a process: pip takes half a second to answer. */
export async function findClient(name: ClientName, signal?: AbortSignal): Promise<Tool | undefined> {
  return toolOf(await askClient(name, signal))
}

/** @throws {TrtError} `SDK_INSTALL_FAILED` where there is none, with how to get it */
export async function requireClient(name: ClientName, purpose: string, signal?: AbortSignal): Promise<Tool> {
  const answer = await askClient(name, signal)
  if (typeof answer !== 'string') return answer
  throw new TrtError('SDK_INSTALL_FAILED', `${purpose} needs ${name}, and found none that works (${answer})`, {
    hint: CLIENT_HINTS[name],
  })
}

/** A client, or why each way to start it is of no use. */
async function askClient(name: ClientName, signal?: AbortSignal): Promise<Tool | string> {
  const key = `${name} ${process.env.PATH}`
  const refusals: string[] = []
  for (const command of COMMANDS[name]) {
    const answer = known.get(key) ?? (await askTool(command, signal))
    if (typeof answer !== 'string') {
      known.set(key, answer)
      return answer
    }
    refusals.push(`\`${command.join(' ')}\`: ${answer}`)
  }
  return refusals.join('; ')
}
