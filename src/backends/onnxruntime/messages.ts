/** What the CPU backend and its child process say to each other. Bulk data is in the scratch files. */
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

/** A tensor's place in a slot's file. */
export interface Placed {
  readonly type: string
  readonly dims: readonly number[]
  /** Bytes from the start of the file, a multiple of {@link ALIGNMENT}. */
  readonly offset: number
}

export interface RunPayload {
  /** The scratch file that holds the inputs, and is to hold the outputs. */
  readonly slot: number
  readonly inputs: { readonly [name: string]: Placed }
  /** Bytes of all inputs together. */
  readonly length: number
  readonly outputs: readonly string[]
}

/** In the order asked for. */
export type RunReply = readonly Placed[]

/** As ArrayBuffers are aligned; enough for every element type, and for a cache line. */
const ALIGNMENT = 64

/** The first offset from `end` on where a tensor may lie. */
export function nextOffset(end: number): number {
  return Math.ceil(end / ALIGNMENT) * ALIGNMENT
}
