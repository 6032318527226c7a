/** What an engine is asked, against what it is: names, types, shapes and profiles. */
import type { Profile, TensorInfo } from '../backends/backend.js'
import { isPlainObject } from '../check.js'
import { DeviceTensor } from '../device-tensor.js'
import { TrtError } from '../errors.js'
import type { Assumption } from '../onnx/index.js'
import { checkTensor, describe, Tensor, type TensorLike } from '../tensor.js'
import type { DeviceFeeds, InputShapes } from './engine.js'

/** What has a shape: a tensor, or what a binding is made for. */
interface Shaped {
  readonly dims: readonly number[]
}

interface EngineTensors {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly profiles: readonly Profile[]
  readonly assumptions: readonly Assumption[]
}

/** The shapes of all inputs, in their order. @throws {TrtError} `INVALID_INPUT` */
export function checkShapes({ inputs, assumptions }: EngineTensors, shapes: InputShapes): readonly Shaped[] {
  if (!isPlainObject(shapes)) {
    const received = describe(shapes)
    throw new TrtError('INVALID_INPUT', `createBinding: expected an object { input: dims }, received ${received}`)
  }
  const unknown = Object.keys(shapes).find((name) => !inputs.some((input) => input.name === name))
  if (unknown !== undefined) {
    throw new TrtError('INVALID_INPUT', `createBinding: ${noInput(unknown, assumptions)}`, {
      hint: `the inputs are ${inputs.map(infoText).join(', ')}`,
    })
  }
  return inputs.map((input) => {
    const what = () => `createBinding: input ${JSON.stringify(input.name)}`
    const dims = Object.hasOwn(shapes, input.name) ? shapes[input.name] : input.shape
    if (!Array.isArray(dims) || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
      throw new TrtError('INVALID_INPUT', `${what()}: expected dims without unknowns, received ${describe(dims)}`, {
        hint: `createBinding({ ${JSON.stringify(input.name)}: [${input.shape.map((dim) => Math.max(dim, 1))}] })`,
      })
    }
    checkDims(input, dims, what, assumptions)
    return { dims: Object.freeze([...dims]) }
  })
}

/** One tensor for each input, in their order. @throws {TrtError} `INVALID_INPUT` */
export function checkFeeds(
  { inputs, assumptions }: EngineTensors,
  feeds: DeviceFeeds,
): readonly (Tensor | DeviceTensor)[] {
  if (!isPlainObject(feeds)) {
    throw new TrtError('INVALID_INPUT', `infer: expected an object { input: Tensor }, received ${describe(feeds)}`, {
      hint: `the inputs are ${inputs.map(infoText).join(', ')}`,
    })
  }
  const isThere = ({ name }: TensorInfo) => Object.hasOwn(feeds, name) && feeds[name] !== undefined
  if (!inputs.every(isThere) || Object.keys(feeds).length !== inputs.length) {
    throw wrongNames(inputs, feeds, assumptions)
  }
  return inputs.map((input) => checkFeed(input, feeds[input.name] as DeviceFeeds[string], assumptions))
}

function wrongNames(inputs: readonly TensorInfo[], feeds: DeviceFeeds, assumptions: readonly Assumption[]): TrtError {
  const names = inputs.map((input) => input.name)
  const missing = names.filter((name) => !Object.hasOwn(feeds, name) || feeds[name] === undefined)
  const unknown = Object.keys(feeds).filter((name) => !names.includes(name))
  const what = [
    ...missing.map((name) => `input ${JSON.stringify(name)} is missing`),
    ...unknown.map((name) => noInput(name, assumptions)),
  ]
  return new TrtError('INVALID_INPUT', `infer: ${what.join('; ')}`, {
    hint: `the inputs are ${inputs.map(infoText).join(', ')}`,
  })
}

/** The weights of a refit, at least one. @throws {TrtError} `INVALID_INPUT` */
export function checkWeights(weights: { readonly [name: string]: TensorLike }): readonly (readonly [string, Tensor])[] {
  if (!isPlainObject(weights) || Object.keys(weights).length === 0) {
    throw new TrtError('INVALID_INPUT', `refit: expected an object { name: Tensor }, received ${describe(weights)}`)
  }
  return Object.entries(weights).map(([name, tensor]) => {
    const { type, view, dims } = checkTensor(tensor, `refit: weights ${JSON.stringify(name)}`, 'INVALID_INPUT')
    // A copy: what is given may be written to while calls that came before are waited for.
    return [name, new Tensor(type, view.slice() as never, dims)]
  })
}

/** The names of the wanted outputs, in the engine's order. @throws {TrtError} `INVALID_ARGUMENT` */
export function checkOutputs({ outputs }: EngineTensors, wanted: readonly string[] | undefined): readonly string[] {
  const names = outputs.map((output) => output.name)
  const unknown = wanted?.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new TrtError('INVALID_ARGUMENT', `infer: there is no output ${JSON.stringify(unknown)}`, {
      hint: `the outputs are ${names.join(', ')}`,
    })
  }
  return wanted === undefined ? names : names.filter((name) => wanted.includes(name))
}

/**
 * The first profile that holds the shapes.
 *
 * @param tensors of all inputs, in their order
 * @throws {TrtError} `SHAPE_OUT_OF_PROFILE`
 */
export function pickProfile({ inputs, profiles }: EngineTensors, what: string, tensors: readonly Shaped[]): number {
  const index = profiles.findIndex((profile) =>
    tensors.every(({ dims }, at) => {
      const range = profile[(inputs[at] as TensorInfo).name]
      return (
        range === undefined ||
        dims.every((dim, axis) => dim >= (range.min[axis] ?? 0) && dim <= (range.max[axis] ?? Number.POSITIVE_INFINITY))
      )
    }),
  )
  if (index >= 0) return index
  const given = tensors.map(({ dims }, at) => `${inputs[at]?.name} [${dims.join(',')}]`).join(', ')
  const allowed = profiles.map((profile, number) => `profile ${number}: ${profileText(profile)}`).join('; ')
  throw new TrtError('SHAPE_OUT_OF_PROFILE', `${what}: ${given} lies outside ${allowed}`, {
    hint: 'build the engine with a range, or a further profile, in shapes that holds this shape',
  })
}

function checkFeed(
  input: TensorInfo,
  feed: TensorLike | DeviceTensor,
  assumptions: readonly Assumption[],
): Tensor | DeviceTensor {
  const what = () => `infer: input ${JSON.stringify(input.name)}`
  const onDevice = feed instanceof DeviceTensor
  const { type, dims, view } = onDevice ? { ...feed, view: undefined } : checkTensor(feed, what, 'INVALID_INPUT')
  if (type !== input.type) {
    throw new TrtError('INVALID_INPUT', `${what()}: expected type ${input.type}, received ${type}`, {
      hint: `the input is ${infoText(input)}`,
    })
  }
  checkDims(input, dims, what, assumptions)
  return onDevice || feed instanceof Tensor ? feed : new Tensor(type, view as never, dims)
}

function checkDims(
  input: TensorInfo,
  dims: readonly number[],
  what: () => string,
  assumptions: readonly Assumption[],
): void {
  const fits = dims.length === input.shape.length && input.shape.every((dim, axis) => dim < 0 || dim === dims[axis])
  if (fits) return
  const expected = input.shape.map((dim) => (dim < 0 ? '?' : dim)).join(',')
  const isAssumed = assumptions.some((assumption) => assumption.kind === 'shape' && assumption.input === input.name)
  const why = isAssumed ? `; repair fixed its shape when the engine was built` : ''
  throw new TrtError('INVALID_INPUT', `${what()}: expected dims [${expected}], received [${dims.join(',')}]${why}`, {
    hint: `the input is ${infoText(input)}`,
  })
}

/** Says of an input that is not there why it has gone, where that is known. */
function noInput(name: string, assumptions: readonly Assumption[]): string {
  const gone = assumptions.find((assumption) => assumption.kind === 'value' && assumption.input === name)
  const text = `there is no input ${JSON.stringify(name)}`
  if (gone?.kind !== 'value') return text
  return `${text}: repair made it the constant ${JSON.stringify(gone.value)} when the engine was built`
}

function infoText({ name, type, shape }: TensorInfo): string {
  return `${name} ${type}[${shape.map((dim) => (dim < 0 ? '?' : dim)).join(',')}]`
}

function profileText(profile: Profile): string {
  return Object.entries(profile)
    .map(([name, { min, max }]) => `${name} [${min.join(',')}] to [${max.join(',')}]`)
    .join(', ')
}

/**
 * Does `work`, until the end of which no tensor among `feeds`, one for each of `inputs`, loses its memory.
 *
 * @throws {TrtError} `CLOSED` where one was disposed of
 */
export function holding<T>(
  inputs: readonly TensorInfo[],
  feeds: readonly (Tensor | DeviceTensor)[],
  work: () => Promise<T>,
): Promise<T> {
  return feeds.some((feed) => feed instanceof DeviceTensor) ? holdingSome(inputs, feeds, work) : work()
}

async function holdingSome<T>(
  inputs: readonly TensorInfo[],
  feeds: readonly (Tensor | DeviceTensor)[],
  work: () => Promise<T>,
): Promise<T> {
  const held: DeviceTensor[] = []
  try {
    for (const [index, feed] of feeds.entries()) {
      if (!(feed instanceof DeviceTensor)) continue
      feed.hold(`infer: input ${JSON.stringify(inputs[index]?.name)}`)
      held.push(feed)
    }
    return await work()
  } finally {
    for (const feed of held) feed.letGo()
  }
}
