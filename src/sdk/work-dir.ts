/**
 * Folders to work in, beside what they shall replace, so that a finished package is moved in place by one rename.
 *
 * There is no lock. Two processes that install the same package work in folders of their own, and the second finds the
 * first's result in place; a lock would save it the download, and cost the question whose lock a crash left behind.
 * What a crash does leave behind is its work folder, whose name says whose it was, and which the next one removes.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

const PREFIX = '.work-'
/** A home folder may be shared by machines that cannot see each other's processes; after a day no install still runs. */
const STALE_MS = 24 * 60 * 60 * 1000

/** When a process started, in clock ticks since boot; tells a process from a later one of the same id. Linux only. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name, in parentheses, and may hold anything.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Makes a work folder, and removes those of processes that are gone. */
export async function makeWorkDir(cacheDir: string): Promise<string> {
  await mkdir(cacheDir, { recursive: true })
  await removeStaleWorkDirs(cacheDir)
  const owner = [hostname(), process.pid, startOf(process.pid), randomBytes(4).toString('hex')].join('+')
  const dir = join(cacheDir, PREFIX + owner)
  await mkdir(dir)
  return dir
}

async function removeStaleWorkDirs(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const [host, pid, start] = name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('+') : []
    if (host === undefined || pid === undefined) continue
    const dir = join(cacheDir, name)
    const stale =
      host === hostname()
        ? !isAlive(Number(pid)) || startOf(Number(pid)) !== start
        : Date.now() - ((await stat(dir).catch(() => undefined))?.mtimeMs ?? 0) > STALE_MS
    // Another process may be removing it too.
    if (stale) await removeDir(dir).catch(() => {})
  }
}

/** Removes a folder, where it is there. */
export function removeDir(dir: string): Promise<void> {
  return rm(dir, { recursive: true, force: true, maxRetries: 3 })
}

/** Moves a folder away and then removes it, so that nobody meets half of it. `workDir` takes it in between. */
export async function discard(dir: string, workDir: string): Promise<void> {
  const trash = join(workDir, `old-${randomBytes(4).toString('hex')}`)
  try {
    await rename(dir, trash)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await removeDir(trash)
}

/** Bytes of all files below a folder; those that vanish meanwhile do not count. */
export async function sizeOfDir(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
