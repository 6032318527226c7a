/**
 * Runs on a worker thread of the child: when the lifeline ends, its owner is gone, in whichever way, and so goes the
 * child, at once.
 *
 * It reads through its own event loop, which turns whatever the main thread does. A blocking `readSync` would do the
 * same, but `process.exit()` of the child joins its workers, and a thread inside a system call cannot be joined.
 */
import { Socket } from 'node:net'
import { LIFELINE_FD } from './protocol.js'

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

try {
  new Socket({ fd: LIFELINE_FD, readable: true, writable: false }).on('error', die).on('close', die).resume()
} catch {
  die()
}
