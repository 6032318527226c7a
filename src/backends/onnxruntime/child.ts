/** The child process of the CPU backend: builds one engine file, or holds one session and runs it. */
import { basename } from 'node:path'
import type { Tensor as OrtTensor } from 'onnxruntime-node'
import { openForReading } from '../../files.js'
import { FIRST_FILE_FD } from '../../host/protocol.js'
import { ScratchFile } from '../../host/scratch-file.js'
import { serve } from '../../host/serve.js'
import { inspectModel } from '../../onnx/index.js'
import { type DataType, Tensor } from '../../tensor.js'
import { packEngine, unpackEngine } from './engine-file.js'
import {
  type BuildEvent,
  type BuildPayload,
  type BuildReply,
  type LoadPayload,
  type LoadReply,
  nextOffset,
  type Placed,
  type RunPayload,
  type RunReply,
  type Source,
} from './messages.js'
import { runError } from './ort-errors.js'
import { createSession, type OrtModule, type OrtSession, requireOrt } from './ort-session.js'

/** What onnxruntime computes in on the CPU, whatever narrower floats the model has. */
const PRECISION = 'fp32'

interface Slot {
  readonly file: ScratchFile
  /** The inputs of the slot's call; kept, since fresh memory costs a page fault per 4 KiB. */
  memory: ArrayBuffer
}

let loaded: { readonly ort: OrtModule; readonly session: OrtSession['session']; readonly slots: readonly Slot[] }

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
  const bytes = await readSource(model, file)
  const { externalFiles } = await inspectModel('path' in model ? model : { bytes })
  const external = new Map<string, Uint8Array>()
  for (const { location, path } of externalFiles) {
    if (!external.has(location)) external.set(location, await readSource({ path }, file))
  }

  phase(1, 'creating the session')
  const packed = { model: bytes, external }
  const { session, inputs, outputs } = await createSession(ort, packed, name, 'BUILD_FAILED')
  await session.release()

  phase(2, 'packing the engine')
  const version = ort.env.versions.node ?? ort.env.versions.common
  const modelName = 'path' in model ? { modelName: basename(model.path) } : {}
  const header = { onnxruntime: version, ...modelName, precision: PRECISION, settings, profiles, inputs, outputs }
  let length = 0
  for (const part of packEngine(header, packed)) {
    file.writeSync(part, length)
    length += part.byteLength
  }
  return { length, precision: PRECISION, version }
}

async function load({ engine, slots }: LoadPayload): Promise<LoadReply> {
  const ort = requireOrt()
  const files = Array.from({ length: slots }, (_, index) => ScratchFile.inherited(FIRST_FILE_FD + index))
  const name = 'path' in engine ? engine.path : 'the engine'
  const { header, ...packed } = unpackEngine(await readSource(engine, files[0] as ScratchFile), name)
  const { session, inputs, outputs } = await createSession(ort, packed, name, 'LOAD_FAILED')
  loaded = { ort, session, slots: files.map((file) => ({ file, memory: new ArrayBuffer(0) })) }
  const version = ort.env.versions.node ?? ort.env.versions.common
  return { inputs, outputs, profiles: header.profiles, precision: header.precision, version }
}

/** Requests are taken in order, and onnxruntime-node computes on this thread, so runs are in order too. */
async function run({ slot: index, inputs, length, outputs }: RunPayload): Promise<RunReply> {
  const { ort, session, slots } = loaded
  const slot = slots[index] as Slot
  try {
    if (slot.memory.byteLength < length) slot.memory = new ArrayBuffer(length)
    slot.file.readSync(new Uint8Array(slot.memory, 0, length), 0)
    const feeds: Record<string, OrtTensor> = {}
    for (const [name, { type, dims, offset }] of Object.entries(inputs)) {
      const { data } = Tensor.fromBuffer(type as DataType, slot.memory, dims, offset)
      feeds[name] = new ort.Tensor(type as 'float32', data as Float32Array, dims)
    }
    const results = await session.run(feeds, outputs)
    return writeOutputs(slot, outputs, results)
  } catch (error) {
    throw runError(error)
  }
}

function writeOutputs(
  { file }: Slot,
  names: readonly string[],
  results: Readonly<Record<string, OrtTensor>>,
): RunReply {
  let end = 0
  return names.map((name): Placed => {
    const { type, dims, data } = results[name] as OrtTensor
    const offset = nextOffset(end)
    file.writeSync(data as Float32Array, offset)
    end = offset + (data as Float32Array).byteLength
    return { type, dims, offset }
  })
}

/** All bytes of a file, or those that the owner put into the scratch file. */
async function readSource(source: Source, scratch: ScratchFile): Promise<Uint8Array> {
  if ('length' in source) {
    const bytes = Buffer.allocUnsafeSlow(source.length)
    scratch.readSync(bytes, 0)
    return bytes
  }
  const { file, size } = await openForReading(source.path)
  try {
    const bytes = Buffer.allocUnsafeSlow(size)
    ScratchFile.inherited(file.fd).readSync(bytes, 0)
    return bytes
  } finally {
    await file.close()
  }
}
