import type { BuildControl } from '../backend.js'
import type { NativeEvent } from './addon.js'

/** TensorRT is called silent after this long without a step. */
const HEARTBEAT_MS = 1000

/** Passes a build's events on to its caller. */
export interface BuildEvents {
  receive(event: NativeEvent): void
  stop(): void
}

/**
 * Hands events to `control`'s logger and `onProgress`, with a heartbeat for every second without progress.
 * @param onThrow is told what the caller's own functions throw
 */
export function passEvents(
  control: Pick<BuildControl, 'logger' | 'onProgress'>,
  onThrow: (error: unknown) => void,
): BuildEvents {
  const { logger, onProgress } = control
  const started = performance.now()
  let running: readonly string[] = []
  const guarded = (call: () => void): void => {
    try {
      call()
    } catch (error) {
      onThrow(error)
    }
  }
  const report = (phase: string, parents: readonly string[], step: number, steps: number): void =>
    guarded(() => onProgress?.({ phase, parents, step, steps, elapsedMs: performance.now() - started }))
  const heartbeat = onProgress && setInterval(() => report('heartbeat', running, 0, 0), HEARTBEAT_MS)
  return {
    receive(event) {
      if (event.type === 'log') {
        guarded(() => logger?.[event.level](event.message))
      } else {
        heartbeat?.refresh()
        running = [...event.parents, event.phase]
        report(event.phase, event.parents, event.step, event.steps)
      }
    },
    stop: () => clearInterval(heartbeat),
  }
}
