import type { StageTimes } from '../backend.js'

/** Numbers before the tensors': the times. */
const TIMES = 5
/** Numbers of each tensor: the rank, and TensorRT's most dimensions. */
const TENSOR = 1 + 8

/**
 * What JavaScript and one slot of the addon tell each other in numbers, in memory that both see: shapes and times, as
 * `native/binding/exchange.h` lays them out. By calls of Node-API, each number would cost one, of some 30 ns.
 *
 * Written before the addon is called and by it when it settles the call, and the slot's from one to the other.
 */
export class SlotExchange implements StageTimes {
  readonly #numbers: Float64Array
  readonly #outputs: number

  /** @param inputs how many the engine has */
  constructor(numbers: Float64Array, inputs: number) {
    this.#numbers = numbers
    this.#outputs = TIMES + inputs * TENSOR
  }

  get hostToDevice(): number {
    return this.#numbers[0] as number
  }

  get compute(): number {
    return this.#numbers[1] as number
  }

  get deviceToHost(): number {
    return this.#numbers[2] as number
  }

  get enqueue(): number {
    return this.#numbers[3] as number
  }

  get run(): number {
    return this.#numbers[4] as number
  }

  tellInput(index: number, dims: readonly number[]): void {
    const at = TIMES + index * TENSOR
    this.#numbers[at] = dims.length
    for (let axis = 0; axis < dims.length; axis++) this.#numbers[at + 1 + axis] = dims[axis] as number
  }

  tellWanted(index: number, wanted: boolean): void {
    this.#numbers[this.#outputs + index * TENSOR] = wanted ? 1 : 0
  }

  /** The shape of an output of the last run. */
  outputDims(index: number): number[] {
    const at = this.#outputs + index * TENSOR
    const dims: number[] = []
    for (let axis = 0; axis < (this.#numbers[at] as number); axis++) dims.push(this.#numbers[at + 1 + axis] as number)
    return dims
  }
}
