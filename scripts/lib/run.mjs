// Runs the commands that set-up, tests and demo are made of. Node built-ins only: this works before `npm ci` has run.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What set-up fetches and makes for the project alone; git-ignored. */
export const CACHE = join(ROOT, '.cache')

/** Whether a part that cannot be set up fails the run (CI) or is reported as skipped (a user's machine). */
export const STRICT = process.env.CI === 'true' || process.env.CI === '1'

/** The end of a command that failed: its words, for whoever has to mend it. */
export class CommandError extends Error {}

/**
 * Runs a command in the project's folder and gives back what it printed to stdout.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string | undefined>, show?: boolean, cwd?: string }} [options] `show` lets the output
 *   through; otherwise it is kept and shown only where the command fails
 * @returns {Promise<string>}
 */
export function run(command, args, { env = {}, show = false, cwd = ROOT } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    })
    let printed = ''
    let everything = ''
    child.stdout?.on('data', (chunk) => {
      printed += chunk
      everything += chunk
    })
    child.stderr?.on('data', (chunk) => {
      everything += chunk
    })
    child.once('error', (error) => reject(new CommandError(`${command}: ${error.message}`)))
    child.once('close', (code, signal) => {
      if (code === 0) resolve(printed)
      else {
        const tail = everything.trimEnd().split('\n').slice(-60).join('\n')
        reject(new CommandError(`${command} ${args.join(' ')} ended with ${signal ?? `code ${code}`}\n${tail}`))
      }
    })
  })
}

/** Prints `title`, works, and prints how long it took: lines of their own, as steps may overlap. */
export async function step(title, work) {
  const started = performance.now()
  console.log(`• ${title} …`)
  try {
    const result = await work()
    console.log(`  ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
    return result
  } catch (error) {
    console.log(`  ${title}: failed`)
    throw error
  }
}

/** A hash over files, to tell whether something made from them is still good. */
export function hashOf(files, salt = '') {
  const hash = createHash('sha256').update(salt)
  for (const file of [...files].sort()) hash.update(file).update('\0').update(readFileSync(file))
  return hash.digest('hex')
}

/** Works only where `key` differs from that of the last time, or `made` has gone. */
export async function once(name, key, made, work) {
  const stamp = join(CACHE, 'stamps', name)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key && made.every((path) => existsSync(path))) return false
  await work()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, key)
  return true
}
