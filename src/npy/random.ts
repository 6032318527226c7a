/**
 * Inputs to try an engine with: the same seed gives the same values on every machine and version of Node.
 *
 * The generator is xoshiro128** 1.1 of David Blackman and Sebastiano Vigna (public domain,
 * https://prng.di.unimi.it/xoshiro128starstar.c): 32-bit arithmetic only, which JavaScript has without bigints. Its
 * state is the first two outputs of their SplitMix64 (https://prng.di.unimi.it/splitmix64.c) for the seed, each as its
 * low, then its high 32 bits.
 */
import { TrtError } from '../errors.js'
import { type DataType, elementCount, Tensor } from '../tensor.js'
import { integerRange, makeData } from './elements.js'
import { numberToBfloat16, numberToFloat8, numberToHalf } from './half.js'

/** Gives the next 32 random bits, as an integer from 0 to 2^32 - 1. */
export type RandomBits = () => number

/** A xoshiro128** generator. @param seed an integer; taken modulo 2^64 */
export function seededRandom(seed: number | bigint): RandomBits {
  const state = new Uint32Array(4)
  let mix = BigInt(seed)
  for (const half of [0, 2]) {
    mix = BigInt.asUintN(64, mix + 0x9e3779b97f4a7c15n)
    let z = mix
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    z ^= z >> 31n
    state[half] = Number(z & 0xffffffffn)
    state[half + 1] = Number(z >> 32n)
  }
  let [a, b, c, d] = state as unknown as [number, number, number, number]
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotateLeft(d, 11)
    return result
  }
}

/** The values of {@link randomTensor}: from `low` to `high`, floats without `high`, integers with it. */
export interface ValueRange {
  readonly low: number
  readonly high: number
}

/**
 * The default: floats in [0, 1) and integers 0 or 1, which suit pictures in [0, 1), masks and token ids alike; it is
 * also what Polygraphy fills inputs with.
 */
export const DEFAULT_RANGE: ValueRange = { low: 0, high: 1 }

/**
 * A tensor of uniformly distributed values.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` where the range is empty, not finite, or outside an integer type
 */
export function randomTensor<T extends DataType>(
  type: T,
  dims: readonly number[],
  random: RandomBits,
  range: ValueRange = DEFAULT_RANGE,
): Tensor<T> {
  checkRange(type, range)
  const data = makeData(type, elementCount(dims))
  const next = valueMaker(type, random, range)
  for (let index = 0; index < data.length; index++) data[index] = next() as never
  return new Tensor(type, data, dims)
}

function valueMaker(type: DataType, random: RandomBits, { low, high }: ValueRange): () => number | bigint {
  // 53 bits: the 27 upper of one number and the 26 upper of the next.
  const unit = (): number => ((random() >>> 5) * 2 ** 26 + (random() >>> 6)) * 2 ** -53
  const float = (): number => low + unit() * (high - low)
  if (type === 'float16') return () => numberToHalf(float())
  if (type === 'bfloat16') return () => numberToBfloat16(float())
  if (type === 'float8e4m3fn') return () => numberToFloat8(float())
  if (type === 'float32') {
    // 24 bits, so that rounding to float32 never reaches `high` in [0, 1).
    return () => low + (random() >>> 8) * 2 ** -24 * (high - low)
  }
  if (type === 'float64') return float
  const integer = (): number => low + Math.floor(unit() * (high - low + 1))
  return type === 'int64' || type === 'uint64' ? () => BigInt(integer()) : integer
}

function checkRange(type: DataType, { low, high }: ValueRange): void {
  const fail = (expected: string): never => {
    throw new TrtError('INVALID_ARGUMENT', `random ${type} values: expected ${expected}, received ${low} to ${high}`)
  }
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) fail('a range from low to high, both finite')
  const limits = type === 'bool' ? ([0n, 1n] as const) : integerRange(type)
  if (limits === undefined) return
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high)) fail('integers, exact in a number')
  if (BigInt(low) < limits[0] || BigInt(high) > limits[1]) fail(`a range within ${limits[0]} to ${limits[1]}`)
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
