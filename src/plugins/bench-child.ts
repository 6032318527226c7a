/** The process that {@link PluginBench} starts: the plugin library's code runs here, and may end it. */
import { type Addon, loadAddon, type NativeHandle, toTrtError } from '../backends/tensorrt/addon.js'
import { FIRST_FILE_FD } from '../host/protocol.js'
import { ScratchFile } from '../host/scratch-file.js'
import { serve } from '../host/serve.js'
import { nextOffset } from '../ort/transfer.js'
import { BYTES_PER_ELEMENT, type DataType, elementCount } from '../tensor.js'
import { toNativeFields } from './fields.js'
import type { OpenPayload, OpenReply, PluginCreatorInfo, RunPayload, RunReply } from './messages.js'

const file = ScratchFile.inherited(FIRST_FILE_FD)
let addon: Addon
let handle: NativeHandle<'plugins'>
let creators: readonly PluginCreatorInfo[]

function open({ family, path, preload }: OpenPayload): OpenReply {
  addon = loadAddon(family)
  const opened = asTrtError(() => addon.openPlugins({ path, preload }))
  handle = opened.handle
  creators = opened.creators
  return { creators, emulated: opened.emulated }
}

function run({ fields, inputs, length, ...request }: RunPayload): RunReply {
  const bytes = new Uint8Array(length)
  file.readSync(bytes, 0)
  const creator = creators.find(({ name, version }) => name === request.name && version === request.version)
  const { outputs, ...reply } = asTrtError(() =>
    addon.runPlugin(handle, {
      ...request,
      fields: toNativeFields(fields, creator?.fields ?? []),
      inputs: inputs.map(({ type, dims, offset }) => {
        const size = elementCount(dims) * BYTES_PER_ELEMENT[type as DataType]
        return { type, dims, data: bytes.subarray(offset, offset + size) }
      }),
    }),
  )
  let end = 0
  const placed = outputs.map(({ type, dims, data }) => {
    const offset = nextOffset(end)
    file.writeSync(new Uint8Array(data), offset)
    end = offset + data.byteLength
    return { type, dims, offset }
  })
  return { ...reply, outputs: placed }
}

function asTrtError<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw toTrtError(error)
  }
}

serve({
  open,
  interfaceOf: (creator: number) => asTrtError(() => addon.pluginInterface(handle, creator)),
  run,
})
