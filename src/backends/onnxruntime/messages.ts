/** What the CPU backend and its child process say to each other. Bulk data is in the scratch files. */
import type { Call, Placed } from '../../ort/transfer.js'
import type { BuildSettings, Profile, TensorInfo } from '../backend.js'

/** A file, or so many bytes at the start of the first scratch file. */
export type Source = { readonly path: string } | { readonly length: number }

export interface BuildPayload {
  readonly model: Source
  readonly profiles: readonly Profile[]
  readonly settings: BuildSettings
}

/** The engine file is at the start of the first scratch file. */
export interface BuildReply {
  readonly length: number
  readonly precision: string
  readonly version: string
  /** What became of the model before it was built. */
  readonly warnings: readonly string[]
}

/** Told as each phase begins. */
export interface BuildEvent {
  readonly phase: string
  readonly step: number
  readonly steps: number
}

export interface LoadPayload {
  readonly engine: Source
  readonly slots: number
}

export interface LoadReply {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly profiles: readonly Profile[]
  readonly precision: string
  readonly version: string
}

/** A call, whose inputs are in the scratch file of a slot. */
export interface RunPayload {
  /** The scratch file that holds the inputs, and is to hold the outputs. */
  readonly slot: number
  readonly call: Call
}

/** In the order asked for. */
export type RunReply = readonly Placed[]
