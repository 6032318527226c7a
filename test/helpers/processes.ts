import { readdirSync, readFileSync } from 'node:fs'

/** Whether a process is there and runs (a zombie is dead, and waits only for its exit status to be fetched). */
export function isRunning(pid: number): boolean {
  const state = stateOf(pid)
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** Until /proc is read again: at once would take a core from the process that is waited for. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 2))

/** Resolves when the process has ended; the test's own timeout is the limit. */
export async function untilEnded(pid: number): Promise<void> {
  while (isRunning(pid)) await soon()
}

/** Resolves when the process has used 30 ms of CPU time since the call: it is busy. */
export async function untilBusy(pid: number): Promise<void> {
  const before = cpuTicks(pid)
  while (cpuTicks(pid) < before + 3) await soon()
}

/** The running children of a process (default: this one). */
export function childrenOf(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isRunning(pid) && statOf(pid)?.[1] === String(parent))
}

/** User and system time in 1/100 s; endless once the process is gone, so that nobody waits for it. */
function cpuTicks(pid: number): number {
  const stat = statOf(pid)
  return stat === undefined ? Number.POSITIVE_INFINITY : Number(stat[11]) + Number(stat[12])
}

function stateOf(pid: number): string | undefined {
  return statOf(pid)?.[0]
}

/** The fields of /proc/<pid>/stat after the command, which is in parentheses and may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
