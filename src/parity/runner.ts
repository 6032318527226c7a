/** What can be compared: anything that gives tensors by name for the same inputs. */
import { buildEngine } from '../api/build-engine.js'
import type { Engine, Feeds } from '../api/engine.js'
import { loadEngine } from '../api/load-engine.js'
import { TrtError } from '../errors.js'
import { type Model, openRunner, type RunnerOptions } from '../onnx/index.js'
import type { BuildOptions } from '../options.js'
import type { Tensor } from '../tensor.js'

/** One side of a comparison. */
export interface ParityRunner {
  readonly name: string
  /** Names of its outputs, in its order. */
  readonly outputs: readonly string[]
  /** Names of all that it can give, its outputs among them. */
  readonly values: ReadonlySet<string>
  /** @param wanted names out of {@link values} */
  run(feeds: Feeds, wanted: readonly string[]): Promise<Readonly<Record<string, Tensor>>>
  close(): Promise<void>
}

/** A model on onnxruntime's CPU: gives every value that a node of its main graph computes. */
export function modelRunner(name: string, model: Model, options: RunnerOptions): ParityRunner {
  const { graph } = model
  // A weight that differs shows in the node that reads it, and counts as a part of that.
  const nodes = graph.nodes.filter(({ opType }) => opType !== 'Constant')
  const given = nodes.flatMap(({ outputs }) => outputs.flatMap((value) => value?.name ?? []))
  const outputs = graph.outputs.map((value) => value.name)
  return {
    name,
    outputs,
    values: new Set([...outputs, ...given]),
    run: async (feeds, wanted) => {
      // Which values are given out is settled when a session is made.
      const runner = await openRunner(model, { ...options, outputs: wanted })
      try {
        return await runner.run(feeds)
      } finally {
        await runner.close()
      }
    },
    close: async () => {},
  }
}

/** A loaded engine: gives its outputs. @param owned whether it is closed with the runner */
export function engineRunner(name: string, engine: Engine, owned: boolean): ParityRunner {
  const outputs = engine.outputs.map((output) => output.name)
  return {
    name,
    outputs,
    values: new Set(outputs),
    run: (feeds, wanted) => engine.infer(feeds, { outputs: wanted }),
    close: async () => {
      if (owned) await engine.close()
    },
  }
}

/** An engine that is built for the comparison. */
export async function builtRunner(name: string, options: BuildOptions): Promise<ParityRunner> {
  const { plan } = await buildEngine(options)
  return engineRunner(name, await loadEngine(plan, options.signal && { signal: options.signal }), true)
}

/** Tensors that were computed elsewhere, for inputs that were the same. */
export function tensorsRunner(name: string, tensors: ReadonlyMap<string, Tensor>): ParityRunner {
  const names = [...tensors.keys()]
  return {
    name,
    outputs: names,
    values: new Set(names),
    run: async (_feeds, wanted) =>
      Object.fromEntries(
        wanted.map((key) => {
          const tensor = tensors.get(key)
          if (tensor === undefined)
            throw new TrtError('INVALID_ARGUMENT', `${name} has no tensor ${JSON.stringify(key)}`)
          return [key, tensor]
        }),
      ),
    close: async () => {},
  }
}
