/**
 * Running a model on onnxruntime's CPU, with any value inside it as an output: what tells whether a change kept the
 * meaning, and where it did not.
 *
 * A value becomes an output by bytes appended to the written model: protobuf joins messages that are written one after
 * the other, lists by appending (protobuf.dev/programming-guides/encoding, "Last One Wins"), so that the model itself is
 * neither changed nor copied. An output without a type is fine for onnxruntime, which infers it. Nodes are added the same
 * way.
 */
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, TrtError } from '../../errors.js'
import { OrtRunner } from '../../ort/ort-runner.js'
import type { OpenPayload } from '../../ort/runner-child.js'
import { checkTensor, Tensor, type TensorLike } from '../../tensor.js'
import { encode } from '../io/encode.js'
import { newMessage } from '../io/proto.js'
import type { Model } from '../model/model.js'
import type { Value } from '../model/value.js'

/** Options of {@link openRunner}. */
export interface RunnerOptions {
  /** Names of what to give back: outputs, or any value of the main graph. Default: the model's outputs. */
  readonly outputs?: readonly string[]
  /**
   * How far onnxruntime may rewrite the model first (`GraphOptimizationLevel`). Default `'basic'`: rewrites that keep
   * ONNX's own operators. `'disabled'` runs the model as it is.
   */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all'
  /** Threads that one operator may use. Default: as many as cores. One makes sums independent of the machine's cores. */
  readonly threads?: number
  /**
   * Computes int8 products exactly (`session.x64quantprecision`): without VNNI, onnxruntime's faster kernels saturate, so
   * that results depend on the machine. Default false.
   */
  readonly exactInt8?: boolean
  /** Gives up opening. */
  readonly signal?: AbortSignal
}

/** A model, ready to run on onnxruntime's CPU; to be closed, or used with `await using`. */
export interface Runner extends AsyncDisposable {
  /** Names of what {@link Runner.run} gives back. */
  readonly outputs: readonly string[]
  /**
   * Computes; calls are served in order.
   *
   * @param feeds one tensor for each input that is no initializer; one for an input with an initializer replaces it
   * @throws {TrtError} `INVALID_INPUT`; `INFERENCE_FAILED`, `OUT_OF_MEMORY`, `PROCESS_CRASHED`; `UNSUPPORTED` where an
   *   output is no tensor of a {@link DataType}; `CLOSED`
   */
  run(feeds: { readonly [input: string]: TensorLike }): Promise<Record<string, Tensor>>
  /** Ends it; a call in flight rejects. May be called twice. */
  close(): Promise<void>
}

/** Above this, weights go into a file of their own: protobuf takes no message of 2 GiB. */
const INSIDE_BYTES = 2 ** 30

/**
 * Opens a model as it is now; later changes do not reach the runner. It computes in a child process.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` for an unknown output; `ONNXRUNTIME_NOT_FOUND`; `UNSUPPORTED_OP`,
 *   `INVALID_MODEL`, `EXTERNAL_DATA`, `UNSUPPORTED`, `LOAD_FAILED`, `OUT_OF_MEMORY`, `IO_ERROR`, `ABORTED`
 */
export async function openRunner(model: Model, options: RunnerOptions = {}): Promise<Runner> {
  return openExtended(model, options, [])
}

/** A node that is added to a model to be run; its output is among those that the runner can be asked for. */
export interface ExtraNode {
  readonly opType: string
  /** The name of a value of the main graph. */
  readonly input: string
  /** A name that no value has. */
  readonly output: string
}

/** @internal as {@link openRunner}, with nodes behind the model's */
export async function openExtended(model: Model, options: RunnerOptions, nodes: readonly ExtraNode[]): Promise<Runner> {
  const { graph } = model
  const given = graph.outputs.map(({ name }) => name)
  const outputs = options.outputs ?? given
  const added = new Set(nodes.map(({ output }) => output))
  for (const name of outputs) if (!added.has(name)) checkOutput(model, name)
  const inputs = new Map(graph.inputs.map((value) => [value.name, value]))
  const folder = await mkdtemp(join(tmpdir(), 'tensorrt-node-run-')).catch((error) => {
    throw new TrtError('IO_ERROR', `no temporary folder: ${messageOf(error)}`, {
      hint: 'TMPDIR=/some/folder names one',
    })
  })
  let runner: OrtRunner
  try {
    const path = join(folder, 'model.onnx')
    const bytes = graph.initializers.reduce((sum, { byteLength }) => sum + byteLength, 0)
    await model.write(path, bytes > INSIDE_BYTES ? { externalData: true } : {})
    await appendFile(
      path,
      extension(
        nodes,
        outputs.filter((name) => !given.includes(name)),
      ),
    )
    const payload: OpenPayload = {
      path,
      name: model.path ?? 'the model',
      optimization: options.optimization ?? 'basic',
      threads: options.threads,
      entries: options.exactInt8 ? { x64quantprecision: '1' } : {},
    }
    runner = await OrtRunner.open(payload, options.signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return {
    outputs,
    run: (feeds) => runner.run(checkFeeds(inputs, feeds), outputs),
    close: () => runner.close(),
    [Symbol.asyncDispose]: () => runner.close(),
  }
}

/**
 * Runs a model once on onnxruntime's CPU. See {@link openRunner} for more than one run.
 *
 * @example
 * const { '/encoder/Add_output_0': sum } = await onnx.run(model, { ids }, { outputs: ['/encoder/Add_output_0'] })
 * @throws {TrtError} as {@link openRunner} and {@link Runner.run}
 */
export async function run(
  model: Model,
  feeds: { readonly [input: string]: TensorLike },
  options: RunnerOptions = {},
): Promise<Record<string, Tensor>> {
  const runner = await openRunner(model, options)
  try {
    return await runner.run(feeds)
  } finally {
    await runner.close()
  }
}

function checkOutput({ graph }: Model, name: string): void {
  if (graph.value(name) !== undefined) return
  throw new TrtError('INVALID_ARGUMENT', `outputs: the main graph has no value ${JSON.stringify(name)}`, {
    hint: 'Values inside the branches of If and the bodies of Loop and Scan, and in functions, cannot be given out.',
  })
}

/** The bytes that, behind a model, add nodes and outputs to it. */
function extension(nodes: readonly ExtraNode[], outputs: readonly string[]): Uint8Array {
  if (nodes.length === 0 && outputs.length === 0) return new Uint8Array()
  const graph = newMessage('GraphProto', {
    node: nodes.map(({ opType, input, output }) =>
      newMessage('NodeProto', { opType, input: [input], output: [output] }),
    ),
    output: outputs.map((name) => newMessage('ValueInfoProto', { name })),
  })
  return encode(newMessage('ModelProto', { graph })).toBytes()
}

function checkFeeds(
  inputs: ReadonlyMap<string, Value>,
  feeds: { readonly [input: string]: TensorLike },
): ReadonlyMap<string, Tensor> {
  const checked = new Map<string, Tensor>()
  const problems: string[] = []
  for (const [name, value] of inputs) {
    if (value.initializer === undefined && !Object.hasOwn(feeds, name)) {
      problems.push(`input ${JSON.stringify(name)} (${value.type}) is missing`)
    }
  }
  for (const [name, feed] of Object.entries(feeds)) {
    const value = inputs.get(name)
    if (value === undefined) {
      problems.push(`there is no input ${JSON.stringify(name)}`)
      continue
    }
    const { type, view, dims } = checkTensor(feed, `run: input ${JSON.stringify(name)}`, 'INVALID_INPUT')
    if (value.type !== type) problems.push(`input ${JSON.stringify(name)} is of type ${value.type}, received ${type}`)
    checked.set(name, feed instanceof Tensor ? feed : new Tensor(type, view as never, dims))
  }
  if (problems.length === 0) return checked
  throw new TrtError('INVALID_INPUT', `run: ${problems.join('; ')}`, {
    hint: `the inputs are ${[...inputs.keys()].join(', ')}`,
  })
}
