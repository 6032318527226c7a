import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's folder. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** The families of TensorRT that there are doubles and an addon for. */
export const FAMILIES = ['rtx', 'trt10', 'trt11'] as const
export type Family = (typeof FAMILIES)[number]

/** Why nothing can run on the doubles here, where that is so: a machine without cargo has no headers to build them from. */
export function obstacle(): string | undefined {
  // In CI whatever could not be set up is a failure.
  if (process.env.CI === 'true' || process.env.CI === '1') return undefined
  const needed = ['doubles/trt11/libnvinfer.so.11', ...FAMILIES.map((family) => `Release/tensorrt_node_${family}.node`)]
  const missing = needed.find((path) => !existsSync(join(ROOT, 'build', path)))
  return missing && `there is no build/${missing}: npm test builds it, where the TensorRT headers can be installed`
}

/** For `beforeEach`: skips every test of a file where {@link obstacle} says why. */
export function skipWithoutDoubles(context: { skip(reason: string): never }): void {
  const reason = obstacle()
  if (reason !== undefined) context.skip(reason)
}

export interface FixtureOptions {
  readonly family?: Family
  readonly args?: readonly unknown[]
  readonly env?: NodeJS.ProcessEnv
  readonly execArgv?: readonly string[]
  /** The package to run in; default: this one. */
  readonly root?: string
  readonly doubles?: string
  /** Whether there is a libcuda at all. */
  readonly driver?: boolean
}

export interface FixtureOutcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs test/native/fixtures/<name>.mjs on the doubles, in a process of its own. */
export function runFixture(name: string, options: FixtureOptions = {}): Promise<FixtureOutcome> {
  const { family = 'trt10', args = [], env = {}, execArgv = [], root = ROOT, driver = true } = options
  const { doubles = join(root, 'build', 'doubles') } = options
  const script = join(root, 'test', 'native', 'fixtures', `${name}.mjs`)
  const child = spawn(process.execPath, [...execArgv, script, ...args.map((arg) => JSON.stringify(arg))], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Less than a test has: one that waits for what never comes is told of, and leaves no process behind.
    timeout: 110_000,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      TRT_TEST_FAMILY: family,
      TRT_TEST_DOUBLES: doubles,
      // No ldconfig and no Python to be asked where TensorRT is: the fixtures say it.
      PATH: '/nowhere',
      LD_LIBRARY_PATH: driver ? join(doubles, 'cuda') : '',
      ...env,
    },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

/** The result that a fixture says, which has to end in an orderly way: exit code 0, and nothing misused. */
// biome-ignore lint/suspicious/noExplicitAny: a fixture's JSON is whatever the test says it is
export async function resultOf(name: string, options: FixtureOptions = {}): Promise<any> {
  return parsed(name, await runFixture(name, options))
}

/** As {@link resultOf}, of a fixture that has run. */
// biome-ignore lint/suspicious/noExplicitAny: a fixture's JSON is whatever the test says it is
export function parsed(name: string, { code, signal, stdout, stderr }: FixtureOutcome): any {
  if (code !== 0) throw new Error(`${name} ended with ${signal ?? `exit code ${code}`}:\n${stderr}${stdout}`)
  const said = stdout.trimEnd().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(said)
  } catch (cause) {
    const what = `${said.length} characters that end with ${JSON.stringify(said.slice(-200))}`
    throw new Error(`${name} said no JSON, but ${what}:\n${stderr}`, { cause })
  }
}
