/**
 * Which backend serves a call, and why.
 *
 * `auto` means: what can also infer on this machine, so that one line of code runs on a laptop and on a server. That is
 * TensorRT where it, its addon and a GPU are there, else TensorRT-RTX on the same terms, else the CPU. Building for GPUs
 * that are elsewhere has to be asked for, by `backend: 'tensorrt-rtx'` or by `target`.
 */
import type { BackendName, BuildOptions } from '../options.js'
import type { Backend } from './backend.js'
import { onnxruntimeBackend } from './onnxruntime/onnxruntime-backend.js'
import { inferenceObstacle, tensorrtBackend } from './tensorrt/tensorrt-backend.js'

/** A backend, and how it came to be chosen. */
export interface Resolution {
  readonly backend: Backend
  readonly reason: string
  /** See `BuildControl.lenient`. */
  readonly lenient: boolean
}

/** The backend of that name; whether it can work here, its own methods say. */
export function backendNamed(name: BackendName, options: { readonly tensorrt?: string }): Backend {
  return name === 'onnxruntime' ? onnxruntimeBackend() : tensorrtBackend(name, { root: options.tensorrt })
}

/** The backend that a build goes to. */
export async function resolveBuildBackend(
  options: Pick<BuildOptions, 'backend' | 'target' | 'tensorrt'>,
): Promise<Resolution> {
  const { backend: wanted = 'auto', target } = options
  const choose = (name: BackendName, reason: string, lenient = false): Resolution => ({
    backend: backendNamed(name, options),
    reason,
    lenient,
  })
  if (wanted !== 'auto') return choose(wanted, 'asked for by name')
  if (target !== undefined)
    return choose('tensorrt-rtx', 'target names GPUs, and TensorRT-RTX builds for GPUs that are not here')
  const obstacles: string[] = []
  for (const name of ['tensorrt', 'tensorrt-rtx'] as const) {
    const obstacle = await inferenceObstacle(name, { root: options.tensorrt })
    if (obstacle === undefined) return choose(name, 'it can build and infer on the GPU here', true)
    obstacles.push(`${name}: ${obstacle}`)
  }
  return choose('onnxruntime', `no TensorRT engine can run on this machine (${obstacles.join('; ')})`, true)
}
