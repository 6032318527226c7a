// The compiled programs that run plugin code without a GPU, built on first use, and what they print.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const BUILD = fileURLToPath(new URL('../../plugins/build.mjs', import.meta.url))

/** One buffer of a kernel, in one direction: see plugins/emulator/memory.h. */
export interface Traffic {
  requests: number
  bytes: number
  sectors: number
  uniqueSectors: number
  widths: Record<string, number>
}

/** What a probe says of the kernels it ran. Numbers that are none come as text. */
export interface Findings {
  cases: number
  maxAbs: number
  maxUlp: number
  maxStatisticsUlp: number
  worst: string
  launches: number
  wrong: number
  firstElement: number
  writtenThere: number
  writtenAround: number
  expected: number
  traffic: Record<string, Traffic>
}

export interface ProbeEnd {
  code: number | string | null
  stdout: string
  stderr: string
}

/** Builds a target of plugins/build.mjs, where it is not up to date, and gives its path. */
export async function build(target: string, sources?: string): Promise<string> {
  const { stdout } = await run(process.execPath, [
    BUILD,
    target,
    ...(sources === undefined ? [] : ['--sources', sources]),
  ])
  return stdout.trim()
}

/** Runs a probe to its end, whichever way it goes. */
export async function end(probe: string, args: string, env: Record<string, string> = {}): Promise<ProbeEnd> {
  try {
    const { stdout, stderr } = await run(probe, args.split(' '), {
      env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', ...env },
    })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, signal, stdout, stderr } = error as ProbeEnd & { signal: string | null }
    return { code: code ?? signal, stdout, stderr }
  }
}

/** Runs a probe that must succeed, and silently. */
export async function find(probe: string, args: string): Promise<Findings> {
  const { code, stdout, stderr: said } = await end(probe, args)
  // AddressSanitizer greets every program that switches stacks; ours announces each switch, as it asks for.
  const stderr = said.replace(/^==\d+==WARNING: ASan doesn't fully support makecontext.*\n/, '')
  if (code !== 0 || stderr !== '') throw new Error(`${probe} ${args} ended with ${code}\n${stderr}`)
  return JSON.parse(stdout) as Findings
}
