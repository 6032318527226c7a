/** The inputs of `run`, `compare` and `bench`: from files, or random. */
import type { Command } from 'commander'
import { TrtError } from '../errors.js'
import { randomTensor, seededRandom, type ValueRange } from '../npy/random.js'
import { readTensorFile } from '../npy/tensor-files.js'
import type { Dim } from '../onnx/index.js'
import { isDataType, type Tensor } from '../tensor.js'
import { collect, integer } from './build-flags.js'
import { UsageError } from './command.js'
import { parseFixedShapes } from './shapes.js'

/** An input as the model or the engine has it. */
export interface InputSpec {
  readonly name: string
  readonly type: string
  /** Numbers where the size is fixed. */
  readonly dims: readonly Dim[] | undefined
  /** What to take where nothing else says the shape: the profile's best shape. */
  readonly fallback?: readonly number[] | undefined
}

/** The flags of `run` that say what is fed. */
export interface FeedFlags {
  input?: readonly string[]
  shapes?: readonly string[]
  range?: readonly string[]
  seed: number
}

/** Adds the flags that {@link FeedFlags} holds, in a group of their own in the help. */
export function addFeedFlags(command: Command): Command {
  return command
    .optionsGroup('Inputs:')
    .option('-i, --input <name=file>', 'a .npy or .json file for an input; repeat for more', collect)
    .option('--shapes <list>', "shapes of random inputs, e.g. 'images:1x3x224x224'", collect)
    .option('--range <name=low..high>', 'values of a random input, e.g. images=-1..1', collect)
    .option('--seed <n>', 'seed of random inputs', integer(0, Number.MAX_SAFE_INTEGER), 0)
}

/** One input, and where its values are from. */
export interface Feed {
  readonly tensor: Tensor
  /** The path of the file, or `random (seed 0)`. */
  readonly source: string
}

/**
 * Reads the files that `--input` names, and makes random values for the other inputs, in the order of `inputs`.
 *
 * @throws {UsageError} for flags that name no input; {@link TrtError} for files, types and missing shapes
 */
export async function makeFeeds(inputs: readonly InputSpec[], flags: FeedFlags): Promise<Map<string, Feed>> {
  const names = inputs.map((input) => input.name)
  const files = assign('--input', flags.input, names)
  const ranges = new Map([...assign('--range', flags.range, names)].map(([name, text]) => [name, toRange(text)]))
  const shapes = parseFixedShapes('--shapes', flags.shapes)
  for (const name of shapes.keys()) if (!names.includes(name)) throw unknownInput('--shapes', name, names)
  for (const name of files.keys()) {
    const flag = shapes.has(name) ? '--shapes' : ranges.has(name) ? '--range' : undefined
    if (flag !== undefined) throw new UsageError(`${flag} is for random inputs, and "${name}" comes from a file`)
  }
  const random = seededRandom(flags.seed)
  const feeds = new Map<string, Feed>()
  for (const input of inputs) {
    const file = files.get(input.name)
    if (!isDataType(input.type)) {
      throw new TrtError('UNSUPPORTED', `input "${input.name}" is of type ${input.type}, which infer cannot take`)
    }
    if (file !== undefined) {
      feeds.set(input.name, { tensor: await readTensorFile(file, input.type), source: file })
    } else {
      const dims = shapes.get(input.name) ?? fixedDims(input) ?? input.fallback
      if (dims === undefined) throw missingShape(input)
      checkDims(input.name, dims)
      feeds.set(input.name, {
        tensor: randomTensor(input.type, dims, random, ranges.get(input.name)),
        source: `random, seed ${flags.seed}`,
      })
    }
  }
  return feeds
}

/**
 * Splits `NAME=VALUE`. Names may hold `=`, so the longest input name that fits wins; where there is one input only, its
 * name may be left out.
 */
function assign(flag: string, texts: readonly string[] = [], names: readonly string[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const text of texts) {
    const fitting = names.filter((name) => text.startsWith(`${name}=`)).sort((a, b) => b.length - a.length)
    const name = fitting[0] ?? (names.length === 1 && !text.includes('=') ? names[0] : undefined)
    if (name === undefined) {
      if (!text.includes('='))
        throw new UsageError(`${flag}: expected NAME=VALUE, received "${text}"`, inputList(names))
      throw unknownInput(flag, text.slice(0, text.indexOf('=')), names)
    }
    if (values.has(name)) throw new UsageError(`${flag}: input "${name}" is named twice`)
    values.set(name, fitting[0] === undefined ? text : text.slice(name.length + 1))
  }
  return values
}

/** `-1..1` → both ends as numbers. */
function toRange(text: string): ValueRange {
  const [low, high, ...rest] = text.split('..').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (low === undefined || high === undefined || rest.length > 0 || !Number.isFinite(low) || !Number.isFinite(high)) {
    throw new UsageError(`--range: expected LOW..HIGH, received "${text}"`, 'for example --range images=-1..1')
  }
  return { low, high }
}

function fixedDims({ dims }: InputSpec): readonly number[] | undefined {
  return dims?.every((dim) => typeof dim === 'number' && dim >= 0) ? (dims as number[]) : undefined
}

/** A tensor larger than this is refused before it is allocated: a mistyped shape shall not take the memory. */
const MAX_ELEMENTS = 2 ** 31 - 1

function checkDims(name: string, dims: readonly number[]): void {
  const count = dims.reduce((product, dim) => product * dim, 1)
  if (dims.some((dim) => dim < 0) || count > MAX_ELEMENTS) {
    throw new TrtError('INVALID_SHAPES', `input "${name}": no random tensor of shape ${dims.join('x')}`, {
      hint: `dimensions are 0 or more, and ${MAX_ELEMENTS} elements the most`,
    })
  }
}

function missingShape({ name, dims }: InputSpec): TrtError {
  const text = dims === undefined ? 'of any rank' : `[${dims.map((dim) => dim ?? '?').join(',')}]`
  const proposal = (dims ?? [1]).map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : 224)).join('x')
  return new TrtError('INVALID_SHAPES', `input "${name}" ${text} is dynamic, and no shape was given`, {
    hint: `--shapes '${name}:${proposal}', or --input '${name}=file.npy'`,
  })
}

function unknownInput(flag: string, name: string, names: readonly string[]): UsageError {
  return new UsageError(`${flag}: there is no input "${name}"`, inputList(names))
}

function inputList(names: readonly string[]): string {
  return `the inputs are ${names.join(', ')}`
}
