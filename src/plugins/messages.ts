/** What the bench and its child process say to each other. Tensors lie in the scratch file that they share. */

import type { AddonFamily, NativePluginResult } from '../backends/tensorrt/addon.js'
import type { Placed } from '../ort/transfer.js'
import type { FieldValue } from './options.js'

/** Opens a library. Paths are absolute. */
export interface OpenPayload {
  readonly family: AddonFamily
  readonly path: string
  /** Libraries that it needs and that are not where the loader looks. */
  readonly preload: readonly string[]
}

/** A field that a creator announces. */
export interface PluginFieldInfo {
  readonly name: string
  /** `'float32'`, `'int32'`, `'char'` …; `'unknown'` for the types that have no name here. */
  readonly type: string
  /** How many elements it has; 0 where any number will do. */
  readonly length: number
}

/** A creator of a plugin library. */
export interface PluginCreatorInfo {
  readonly name: string
  readonly version: string
  /** As the library gives it; mostly empty. */
  readonly namespace: string
  /**
   * What its plugins are. `'IPluginV2'` where the creator is of that kind and makes no plugin without fields, so that
   * which of its descendants they are is not known.
   */
  readonly interface: 'IPluginV2DynamicExt' | 'IPluginV2' | 'IPluginV3'
  readonly fields: readonly PluginFieldInfo[]
}

export interface OpenReply {
  readonly creators: readonly PluginCreatorInfo[]
  readonly emulated: boolean
}

/** One run. */
export interface RunPayload {
  readonly name: string
  readonly version: string
  readonly namespace: string
  readonly fields: { readonly [name: string]: FieldValue }
  readonly inputs: readonly Placed[]
  readonly length: number
  readonly format: string
  readonly device: number
  readonly iterations: number
}

/** What came of it, the outputs' bytes in the file. */
export type RunReply = Omit<NativePluginResult, 'outputs'> & { readonly outputs: readonly Placed[] }
