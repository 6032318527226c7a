import { HEADER_BYTES, recogniseEngine } from '../backends/recognise-engine.js'
import { backendNamed } from '../backends/resolve-backend.js'
import { toBytes } from '../check.js'
import { TrtError, throwIfAborted } from '../errors.js'
import { openForReading, toPath } from '../files.js'
import type { LoadOptions, Logger, LogLevel } from '../options.js'
import { describe } from '../tensor.js'
import { traced } from '../tracing.js'
import { Engine } from './engine.js'
import { readAssumptions } from './manifest.js'
import { SILENT, validateLoadOptions } from './validate-options.js'

/**
 * Loads an engine, ready to infer. What the file is, is read from its header: a plan of TensorRT or TensorRT-RTX, which
 * needs a GPU, or an engine file of the CPU backend.
 *
 * @param engine a path, a `file:` URL, or the bytes of an engine file
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`, `INVALID_ENGINE` (no engine, truncated, damaged), `ENGINE_MISMATCH`
 *   (a sound plan, of another version or family), `TENSORRT_NOT_FOUND`, `ADDON_NOT_BUILT`, `ONNXRUNTIME_NOT_FOUND`,
 *   `GPU_NOT_FOUND`, `LOAD_FAILED`, `INVALID_PLUGIN`, `UNSUPPORTED` (plugins on another backend than
 *   TensorRT), `OUT_OF_MEMORY`, `ABORTED`, `INVALID_ARGUMENT`
 */
export function loadEngine(engine: string | URL | Uint8Array, options: LoadOptions = {}): Promise<Engine> {
  return traced('load', { engine, options }, () => load(engine, options))
}

async function load(engine: string | URL | Uint8Array, options: LoadOptions): Promise<Engine> {
  validateLoadOptions(options)
  throwIfAborted('loadEngine', options.signal)
  const source = toSource(engine)
  const { kind, assumptions } = 'bytes' in source ? recognise(source.bytes) : await recogniseFile(source.path)
  const { backend: wanted = 'auto' } = options
  if (wanted !== 'auto' && wanted !== kind) {
    throw new TrtError(
      'ENGINE_MISMATCH',
      `loadEngine: the engine was built for backend '${kind}', and '${wanted}' was asked for`,
      {
        hint: 'leave backend out, or build the engine again with the backend that you want',
      },
    )
  }
  const backend = backendNamed(kind, options)
  const loaded = await backend.load(source, {
    device: options.device ?? 0,
    contexts: options.contexts ?? 1,
    cudaGraphs: mostGraphs(options.cudaGraphs),
    profile: options.profile ?? false,
    weightStreamingBudget: streamingBudget(options.weightStreamingBudget),
    allowHostCode: options.allowHostCode ?? false,
    plugins: options.plugins ?? [],
    signal: options.signal,
    logger: unbreakable(options.logger ?? SILENT),
  })
  return new Engine(loaded, { backend: kind, backendReason: REASON[kind], assumptions }, options.queue)
}

function mostGraphs(graphs: LoadOptions['cudaGraphs'] = false): number {
  if (graphs === false) return 0
  return (graphs === true ? undefined : graphs.max) ?? MOST_GRAPHS
}

function streamingBudget(budget: LoadOptions['weightStreamingBudget']): number | 'auto' | undefined {
  return typeof budget === 'string' && budget !== 'auto' ? toBytes(budget) : budget
}

/** CUDA graphs of a context, unless the caller says how many: as many batch sizes as a batcher's profile has powers of 2. */
const MOST_GRAPHS = 8

const REASON = {
  tensorrt: 'the file is a TensorRT plan',
  'tensorrt-rtx': 'the file is a TensorRT-RTX plan',
  onnxruntime: 'the file is an engine of the CPU backend',
} as const

/** A loaded engine logs from native callbacks, where nobody could catch what a logger throws. */
function unbreakable(logger: Logger): Logger {
  const guard = (level: LogLevel) => (message: string) => {
    try {
      logger[level](message)
    } catch {}
  }
  return { error: guard('error'), warn: guard('warn'), info: guard('info'), debug: guard('debug') }
}

function toSource(engine: unknown): { path: string } | { bytes: Uint8Array } {
  if (engine instanceof Uint8Array) return { bytes: engine }
  if ((typeof engine === 'string' && engine !== '') || (engine instanceof URL && engine.protocol === 'file:')) {
    return { path: toPath(engine) }
  }
  throw new TrtError(
    'INVALID_ARGUMENT',
    `loadEngine: expected a path, a file: URL or a Uint8Array, received ${describe(engine)}`,
    { hint: "e.g. await trt.loadEngine('model.engine')" },
  )
}

function recognise(bytes: Uint8Array) {
  return { ...recogniseEngine(bytes.subarray(0, HEADER_BYTES), bytes.byteLength, 'the engine'), assumptions: [] }
}

async function recogniseFile(path: string) {
  const { file, size } = await openForReading(path)
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0)
    const recognised = recogniseEngine(header.subarray(0, bytesRead), size, path)
    return { ...recognised, assumptions: await readAssumptions(path, size) }
  } finally {
    await file.close()
  }
}
