/**
 * Arithmetic on dimensions that may be symbolic. A result that is no number is written as an expression in the names that
 * the model's inputs have, such as `2*batch`, `m+n-1` or `floor((height+31)/32)`, so that it is a dimension again, and
 * two that are equal are the same text: sums of products, in one order. Names that are expressions themselves, as
 * optimum writes them (`past_sequence_length + 1`), are read as what they say.
 *
 * What has no short answer is null (unknown): most quotients, expressions of more than {@link MAX_LENGTH} characters, and
 * combinations of names that could be taken for something else inside an expression.
 *
 * Rejected: a computer algebra library, where a page does; and objects instead of texts, as declarations, keys and
 * comparisons need them written out anyway, and most dimensions are numbers.
 */
import type { Dim } from '../value-type.js'

/** Longer expressions say nothing to anybody, and would grow with the depth of a network. */
const MAX_LENGTH = 80

/** Of one sum, so that products of sums stay small. */
const MAX_TERMS = 8

/** The sum of dimensions. */
export function add(...dims: readonly Dim[]): Dim {
  return combine(dims, 0, (a, b) => a + b, plus)
}

/** The difference, which may be negative. */
export function subtract(a: Dim, b: Dim): Dim {
  return isSame(a, b) ? 0 : add(a, multiply(b, -1))
}

/** The product of dimensions; 1 of none. */
export function multiply(...dims: readonly Dim[]): Dim {
  return dims.includes(0) ? 0 : combine(dims, 1, (a, b) => a * b, times)
}

/** `a / b` rounded down. */
export function floorDivide(a: Dim, b: Dim): Dim {
  if (a === null || b === null || (typeof b === 'number' && !(b > 0))) return null
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b)
  if (isSame(a, b)) return 1
  if (b === 1) return a
  const sum = read(a)
  const divisor = read(b)
  if (sum === undefined || divisor === undefined) return null
  const exact = quotient(sum, divisor)
  if (exact !== undefined) return write(exact)
  const floor = typeof b === 'number' ? floorOf(sum, b) : undefined
  return floor === undefined ? null : write(floor)
}

/** `a / b` rounded up. */
export function ceilDivide(a: Dim, b: number): Dim {
  return floorDivide(add(a, b - 1), b)
}

/** Whether two dimensions are equal whatever the names in them stand for. False where either is unknown. */
export function isSame(a: Dim, b: Dim): boolean {
  if (a === null || b === null) return false
  return a === b || (typeof a === 'string' && typeof b === 'string' && canonical(a) === canonical(b))
}

/** Whether a number or every term of an expression is below 0. */
export function isNegative(dim: Dim): boolean {
  if (typeof dim === 'number') return dim < 0
  if (!dim?.startsWith('-')) return false
  return [...(read(dim)?.values() ?? [1])].every((count) => count <= 0)
}

/** Whether it is symbolic and has no term below 0, as a size of a tensor has none. */
export function isSize(dim: Dim): boolean {
  return typeof dim === 'string' && [...(read(dim)?.values() ?? [])].every((count) => count >= 0)
}

/** A sum: by product of factors (sorted, separated by a space; `''` for the constant), how often. */
type Sum = ReadonlyMap<string, number>

function combine(
  dims: readonly Dim[],
  unit: number,
  numbers: (a: number, b: number) => number,
  sums: (a: Sum, b: Sum) => Sum,
): Dim {
  const symbols: string[] = []
  let number = unit
  for (const dim of dims) {
    if (dim === null) return null
    if (typeof dim === 'number') number = numbers(number, dim)
    else symbols.push(dim)
  }
  if (!Number.isSafeInteger(number)) return null
  const [first] = symbols
  if (first === undefined) return number
  if (symbols.length === 1 && number === unit) return first
  let result: Sum = new Map([['', number]])
  for (const symbol of symbols) {
    const sum = read(symbol)
    if (sum === undefined) return null
    result = sums(result, sum)
    if (result.size > MAX_TERMS) return null
  }
  return write(result)
}

function plus(a: Sum, b: Sum): Sum {
  const result = new Map(a)
  for (const [product, count] of b) result.set(product, (result.get(product) ?? 0) + count)
  return result
}

function times(a: Sum, b: Sum): Sum {
  const result = new Map<string, number>()
  for (const [left, m] of a) {
    for (const [right, n] of b) {
      const product = [...factorsOf(left), ...factorsOf(right)].sort().join(' ')
      result.set(product, (result.get(product) ?? 0) + m * n)
    }
  }
  return result
}

function factorsOf(product: string): string[] {
  return product === '' ? [] : product.split(' ')
}

/** `a / b` where it leaves no rest: by a single product, or where `a` is a multiple of `b`. */
function quotient(a: Sum, b: Sum): Sum | undefined {
  const [divisor] = b
  const [first] = a
  if (divisor === undefined || first === undefined) return undefined
  if (b.size > 1) {
    const factor = [...b]
      .map((term) => ratio(first, term))
      .find((term) => term && write(times(new Map([term]), b)) === write(a))
    return factor && new Map([factor])
  }
  const terms = [...a].map((term) => ratio(term, divisor))
  return terms.every((term) => term !== undefined) ? new Map(terms) : undefined
}

/** The quotient of two terms; undefined where there is a rest. */
function ratio([product, count]: [string, number], [divisor, number]: [string, number]): [string, number] | undefined {
  if (count % number !== 0) return undefined
  const rest = factorsOf(product)
  for (const factor of factorsOf(divisor)) {
    const index = rest.indexOf(factor)
    if (index < 0) return undefined
    rest.splice(index, 1)
  }
  return [rest.join(' '), count / number]
}

/** floor(sum / divisor) as a sum, by floor(a + k) = floor(a) + k for every integer k. */
function floorOf(sum: Sum, divisor: number): Sum | undefined {
  const inside = new Map<string, number>()
  const outside = new Map<string, number>()
  for (const [product, count] of sum) {
    const whole = product === '' ? Math.floor(count / divisor) : count % divisor === 0 ? count / divisor : 0
    if (whole !== 0) outside.set(product, whole)
    if (whole * divisor !== count) inside.set(product, count - whole * divisor)
  }
  const products = [...inside].filter(([product]) => product !== '')
  const [only] = products
  if (only === undefined) return outside
  const inner = products.length === 1 && only[1] === 1 ? new Reader(only[0]).floor() : undefined
  if (inner !== undefined) {
    // floor((floor(a/m) + c) / n) = floor((a + c*m) / (m*n))
    const constant = new Map([['', (inside.get('') ?? 0) * inner.divisor]])
    const moved = floorOf(plus(inner.sum, constant), inner.divisor * divisor)
    return moved && plus(outside, moved)
  }
  const text = write(inside)
  const floor = text && shortEnough(`floor(${NAME.test(`${text}`) ? text : `(${text})`}/${divisor})`)
  return floor ? plus(outside, new Map([[floor, 1]])) : undefined
}

/** A sum as a dimension: its terms in order, the constant last. */
function write(sum: Sum): Dim {
  const terms = [...sum]
    .filter(([product, count]) => count !== 0 && product !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const constant = sum.get('') ?? 0
  if (terms.length === 0) return constant
  if (constant !== 0) terms.push(['', constant])
  if (terms.length > MAX_TERMS || !terms.every(([, count]) => Number.isSafeInteger(count))) return null
  return shortEnough(terms.map(([product, count], index) => writeTerm(product, count, index === 0)).join(''))
}

function writeTerm(product: string, count: number, isFirst: boolean): string {
  const size = Math.abs(count)
  const factors = factorsOf(product)
  const sign = count < 0 ? '-' : isFirst ? '' : '+'
  return sign + (size === 1 && factors.length > 0 ? factors : [`${size}`, ...factors]).join('*')
}

function shortEnough(text: string): string | null {
  return text.length > MAX_LENGTH ? null : text
}

function canonical(dim: string): Dim {
  const sum = read(dim)
  return sum === undefined ? dim : write(sum)
}

/** A dimension as a sum; undefined for a name that is no expression. */
function read(dim: number | string): Sum | undefined {
  if (typeof dim === 'number') return new Map([['', dim]])
  if (NAME.test(dim)) return new Map([[dim, 1]])
  if (dim.length > 2 * MAX_LENGTH) return undefined
  if (!readBefore.has(dim)) {
    if (readBefore.size === MAX_READ) readBefore.clear()
    readBefore.set(dim, new Reader(dim).whole())
  }
  return readBefore.get(dim)
}

/** A model has a few expressions, in thousands of places. */
const readBefore = new Map<string, Sum | undefined>()
const MAX_READ = 10_000

const NAME = /^[A-Za-z_][\w.:]*$/
const TOKENS = /\s*(?:(\d+|[A-Za-z_][\w.:]*)|([-+*/()]))/y

/** Reads what {@link write} writes, and what people write: sums, products, parentheses, and floor(…/n). */
class Reader {
  readonly #tokens: string[] = []
  #next = 0

  constructor(text: string) {
    TOKENS.lastIndex = 0
    const length = text.trimEnd().length
    while (TOKENS.lastIndex < length) {
      const match = TOKENS.exec(text)
      if (match === null) {
        // A character that no expression has: a token that nothing takes.
        this.#tokens.push('?')
        break
      }
      this.#tokens.push(match[1] ?? match[2] ?? '?')
    }
  }

  /** The text as a sum; undefined where it is something else. */
  whole(): Sum | undefined {
    const sum = this.#sum()
    return this.#next === this.#tokens.length && sum !== undefined && sum.size <= MAX_TERMS ? sum : undefined
  }

  /** What is inside, where the text is a single floor(sum/divisor). */
  floor(): { sum: Sum; divisor: number } | undefined {
    if (!this.#take('floor') || !this.#take('(')) return undefined
    const sum = this.#sum()
    const divisor = this.#take('/') ? Number(this.#tokens[this.#next++]) : Number.NaN
    return sum !== undefined && divisor > 0 && this.#take(')') ? { sum, divisor } : undefined
  }

  #sum(): Sum | undefined {
    let result: Sum = new Map()
    for (let sign = this.#take('-') ? -1 : 1; ; ) {
      const product = this.#product()
      if (product === undefined) return undefined
      result = plus(result, times(product, new Map([['', sign]])))
      if (this.#take('+')) sign = 1
      else if (this.#take('-')) sign = -1
      else return result
    }
  }

  #product(): Sum | undefined {
    let result = this.#factor()
    while (result !== undefined && this.#take('*')) {
      const factor = this.#factor()
      result = factor && times(result, factor)
      if (result !== undefined && result.size > MAX_TERMS) return undefined
    }
    return result
  }

  #factor(): Sum | undefined {
    if (this.#take('(')) {
      const sum = this.#sum()
      return this.#take(')') ? sum : undefined
    }
    if (this.#tokens[this.#next] === 'floor' && this.#tokens[this.#next + 1] === '(') {
      const inner = this.floor()
      return inner && floorOf(inner.sum, inner.divisor)
    }
    const token = this.#tokens[this.#next++] ?? ''
    if (/^\d+$/.test(token)) return new Map([['', Number(token)]])
    return NAME.test(token) ? new Map([[token, 1]]) : undefined
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#next] !== token) return false
    this.#next++
    return true
  }
}
