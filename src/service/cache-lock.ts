/**
 * A lock between processes, and between threads of one, that no crash can leave behind: who holds it listens on a local
 * socket of its name, and the kernel closes that socket however its owner ends. Who waits connects, and is woken by the
 * end of the connection; nothing is polled, and no time-out has to guess whether a holder still lives.
 *
 * On Linux the name lies in the abstract namespace of sockets, on Windows it is a named pipe: neither leaves a file.
 * Elsewhere it is a socket file, which a crash does leave behind; that nobody listens on it tells, and the next one takes
 * it away. (Two that do so at once may both get the lock.)
 *
 * Rejected: a lock file with the holder's process id and start time. Processes in other containers look dead, those of
 * a terminated worker thread alive.
 *
 * The lock saves work, and is not what keeps files whole: containers that share a folder and not their network do not see
 * each other's locks, and may build the same engine at once. Files are therefore written so that this does no harm.
 */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { abortedError, messageOf, TrtError } from '../errors.js'

/**
 * Takes the lock where it is free. Where it is not, waits for its release, and gives undefined: what the other one did
 * may have made it needless to ask again.
 *
 * @returns gives the lock back
 * @throws {TrtError} `ABORTED` while it waits; `IO_ERROR` where this machine allows no local sockets
 */
export async function acquireLock(
  name: string,
  signal?: AbortSignal,
  platform = process.platform,
): Promise<(() => void) | undefined> {
  const address = addressOf(createHash('sha256').update(name).digest('hex').slice(0, 32), platform)
  const release = await listen(address)
  if (release === undefined) await untilReleased(address, signal)
  return release
}

function addressOf(name: string, platform: NodeJS.Platform): string {
  if (platform === 'linux') return `\0tensorrt-node-${name}`
  if (platform === 'win32') return `\\\\.\\pipe\\tensorrt-node-${name}`
  return join(tmpdir(), `tensorrt-node-${name}.sock`)
}

function listen(path: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>()
    const server = createServer((socket) => {
      waiting.add(socket.unref())
      socket.on('error', () => {}).on('close', () => waiting.delete(socket))
    })
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(new TrtError('IO_ERROR', `no lock could be taken: ${messageOf(error)}`, { cause: error }))
    })
    // exclusive: in a worker of node:cluster the primary would listen for all of them.
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      resolve(() => {
        server.close()
        for (const socket of waiting) socket.destroy()
      })
    })
  })
}

function untilReleased(path: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path).resume()
    const abort = () => socket.destroy()
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    let refused = false
    socket.on('error', (error: NodeJS.ErrnoException) => {
      refused = error.code === 'ECONNREFUSED'
    })
    socket.on('close', () => {
      signal?.removeEventListener('abort', abort)
      if (signal?.aborted) reject(abortedError('waiting for another build of the same engine', signal))
      else if (refused && !/^[\0\\]/.test(path)) rm(path, { force: true }).then(resolve, reject)
      else resolve()
    })
  })
}
