/** The child process of the CPU backend: builds one engine file, or holds one session and runs it. */
import { basename } from 'node:path'
import { openForReading } from '../../files.js'
import { FIRST_FILE_FD } from '../../host/protocol.js'
import { ScratchFile } from '../../host/scratch-file.js'
import { serve } from '../../host/serve.js'
import { allocate } from '../../memory.js'
import { inspectModel } from '../../onnx/inspect-model.js'
import {
  createSession,
  type OrtModule,
  type OrtSession,
  type PackedModel,
  requireOrt,
  type SessionOptions,
} from '../../ort/ort-session.js'
import { CallSlot } from '../../ort/transfer.js'
import type { BuildSettings, ModelSource } from '../backend.js'
import { prepareModel, quantizationOf } from '../prepare-model.js'
import { packEngine, unpackEngine } from './engine-file.js'
import type {
  BuildEvent,
  BuildPayload,
  BuildReply,
  LoadPayload,
  LoadReply,
  RunPayload,
  RunReply,
  Source,
} from './messages.js'

/** What onnxruntime computes in on the CPU: in fp32 whatever narrower floats the model has, but where it is quantised. */
function precisionOf({ int8, fp8 }: BuildSettings): string {
  if (int8 !== undefined) return 'int8+fp32'
  return fp8 === undefined ? 'fp32' : 'fp8+fp32'
}

/**
 * int8: without VNNI, the faster kernels saturate, and an engine would say something else on each machine. fp8: of rewrites
 * beyond the basic ones, onnxruntime 1.30 makes MatMulIntegerToFloat of a product in fp8, which takes int8 only.
 */
function sessionOptions({ int8, fp8 }: BuildSettings): SessionOptions {
  if (int8 !== undefined) return { extra: { session: { x64quantprecision: '1' } } }
  return fp8 === undefined ? {} : { graphOptimizationLevel: 'basic' }
}

let loaded: { readonly ort: OrtModule; readonly session: OrtSession['session']; readonly slots: readonly CallSlot[] }

serve({ build, load, run })

async function build(
  { model, profiles, settings }: BuildPayload,
  emit: (event: BuildEvent) => void,
): Promise<BuildReply> {
  const phase = (step: number, phase: string) => emit({ phase, step, steps: 3 })
  const ort = requireOrt()
  const file = ScratchFile.inherited(FIRST_FILE_FD)
  const name = 'path' in model ? model.path : 'the model'

  phase(0, 'reading the model')
  const source = 'path' in model ? model : { bytes: await readSource(model, file) }
  // Never aborted here: the owner ends this process instead.
  const { signal } = new AbortController()
  const prepared = await prepareModel(source, { quantize: quantizationOf(settings) }, signal)
  const packed = await pack(prepared.model, file)

  phase(1, 'creating the session')
  const { session, inputs, outputs } = await createSession(ort, packed, name, 'BUILD_FAILED', sessionOptions(settings))
  await session.release()

  phase(2, 'packing the engine')
  const version = ort.env.versions.node ?? ort.env.versions.common
  const modelName = 'path' in model ? { modelName: basename(model.path) } : {}
  const precision = precisionOf(settings)
  const header = { onnxruntime: version, ...modelName, precision, settings, profiles, inputs, outputs }
  let length = 0
  for (const part of packEngine(header, packed)) {
    file.writeSync(part, length)
    length += part.byteLength
  }
  return { length, precision, version, warnings: prepared.warnings }
}

/** The model with its external data. */
async function pack(source: ModelSource, file: ScratchFile): Promise<PackedModel> {
  const model = 'path' in source ? await readSource(source, file) : source.bytes
  const external = new Map<string, Uint8Array>()
  for (const { location, path } of (await inspectModel(source)).externalFiles) {
    if (!external.has(location)) external.set(location, await readSource({ path }, file))
  }
  return { model, external }
}

async function load({ engine, slots }: LoadPayload): Promise<LoadReply> {
  const ort = requireOrt()
  const files = Array.from({ length: slots }, (_, index) => ScratchFile.inherited(FIRST_FILE_FD + index))
  const name = 'path' in engine ? engine.path : 'the engine'
  const { header, ...packed } = unpackEngine(await readSource(engine, files[0] as ScratchFile), name)
  const { session, inputs, outputs } = await createSession(
    ort,
    packed,
    name,
    'LOAD_FAILED',
    sessionOptions(header.settings),
  )
  loaded = { ort, session, slots: files.map((file) => new CallSlot(file)) }
  const version = ort.env.versions.node ?? ort.env.versions.common
  return { inputs, outputs, profiles: header.profiles, precision: header.precision, version }
}

/** Requests are taken in order, and onnxruntime-node computes on this thread, so runs are in order too. */
async function run({ slot, call }: RunPayload): Promise<RunReply> {
  return (loaded.slots[slot] as CallSlot).run(loaded.ort, loaded.session, call)
}

/** All bytes of a file, or those that the owner put into the scratch file. */
async function readSource(source: Source, scratch: ScratchFile): Promise<Uint8Array> {
  if ('length' in source) {
    const bytes = allocate(source.length, 'the model')
    scratch.readSync(bytes, 0)
    return bytes
  }
  const { file, size } = await openForReading(source.path)
  try {
    const bytes = allocate(size, source.path)
    ScratchFile.inherited(file.fd).readSync(bytes, 0)
    return bytes
  } finally {
    await file.close()
  }
}
