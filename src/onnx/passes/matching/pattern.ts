/**
 * Patterns of nodes, written as a listing shows nodes:
 *
 * ```
 * centred = Sub(x, ReduceMean(x, ...))
 * y = Div(centred, Sqrt(Add(ReduceMean(Pow(centred, 2), ...), $epsilon)))
 * ```
 *
 * The last statement is what is looked for; the others have to be reached from it. Statements need nothing between them,
 * and may have `;`.
 *
 * | written | meaning |
 * |---|---|
 * | `x` | any value, the same one wherever the name stands |
 * | `$scale` | a value that is constant |
 * | `2`, `0.044715` | a constant all of whose elements are this number, to the precision of its type |
 * | `_` | any value, or none |
 * | `...` | last of the inputs: there may be more of them |
 * | `Mul\|Div(…)`, `com.microsoft:Gelu(…)` | one of several ops; an op of a domain |
 * | `{axis: -1, mode: "linear", to: null}` | attributes that have to be so; null stands for absent |
 * | `y, mask = Dropout(x)` | names for several outputs |
 *
 * An attribute written as `1.0` or `1e-5` is a float, and one written as `1` an int.
 *
 * In a replacement, `{…}` are the attributes that the new node gets: `$epsilon` there is a constant's first element,
 * `conv.pads` an attribute of the matched node that gives `conv`, `...conv` all of them.
 */
import { TrtError } from '../../../errors.js'

/** What may stand for an input. */
export type Term =
  | { readonly kind: 'value' | 'constant'; readonly name: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'output'; readonly call: Call; readonly index: number }

/** A value of an attribute as it is written. */
export type Written =
  | number
  | string
  | null
  | readonly (number | string)[]
  | { readonly float: number | readonly number[] }
  | { readonly constant: string }
  | { readonly of: string; readonly attribute: string }

/** A node of a pattern. */
export interface Call {
  readonly ops: readonly { readonly domain: string; readonly opType: string }[]
  readonly inputs: readonly Term[]
  /** Whether there may be more inputs. */
  readonly isOpen: boolean
  readonly attributes: ReadonlyMap<string, Written>
  /** Names of values whose nodes give all their attributes; of replacements only. */
  readonly copies: readonly string[]
  /** Names of what it gives. */
  readonly outputs: (string | undefined)[]
}

/** A pattern that was read. */
export interface Pattern {
  readonly text: string
  /** In order of their statements, calls inside a call before it. */
  readonly calls: readonly Call[]
  /** The last statement. */
  readonly root: Call
  /** Every name in it, with its `$`. */
  readonly names: ReadonlySet<string>
}

/**
 * Reads a pattern or a replacement.
 *
 * @throws {TrtError} `INVALID_ARGUMENT` with the place where it is wrong
 */
export function parsePattern(text: string): Pattern {
  return new Parser(text).parse()
}

const TOKEN =
  /[\s;]*(?:(?<name>\$?[A-Za-z_][\w]*)|(?<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?<text>"(?:[^"\\]|\\.)*")|(?<sign>\.\.\.|[(){}[\],:=|.]))/y

interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'sign' | 'end'
  readonly text: string
  readonly at: number
}

/** By recursive descent, one token ahead. */
class Parser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  readonly #calls: Call[] = []
  readonly #given = new Map<string, { call: Call; index: number }>()
  readonly #names = new Set<string>()
  #next = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = this.#split()
  }

  parse(): Pattern {
    let root: Call | undefined
    while (this.#token.kind !== 'end') root = this.#statement()
    if (root === undefined) throw this.#wrong('a statement such as y = Relu(x)')
    return { text: this.#text, calls: this.#calls, root, names: this.#names }
  }

  #statement(): Call {
    const names = [this.#outputName()]
    while (this.#take(',')) names.push(this.#outputName())
    this.#expect('=')
    const call = this.#call()
    call.outputs.push(...names)
    for (const [index, name] of names.entries()) {
      if (name === undefined) continue
      this.#names.add(name)
      this.#given.set(name, { call, index })
    }
    return call
  }

  #outputName(): string | undefined {
    const { text } = this.#token
    if (text.startsWith('$') || this.#names.has(text)) throw this.#wrong('a name that stands for nothing else yet')
    const name = this.#name('a name of an output')
    return name === '_' ? undefined : name
  }

  #call(): Call {
    const ops = [this.#op()]
    while (this.#take('|')) ops.push(this.#op())
    this.#expect('(')
    const inputs: Term[] = []
    let isOpen = false
    while (!this.#take(')')) {
      if (isOpen || inputs.length > 0) this.#expect(',')
      if (isOpen) throw this.#wrong('nothing behind ...')
      if (this.#take('...')) isOpen = true
      else inputs.push(this.#term())
    }
    const { attributes, copies } = this.#attributes()
    const call: Call = { ops, inputs, isOpen, attributes, copies, outputs: [] }
    this.#calls.push(call)
    return call
  }

  #op(): { domain: string; opType: string } {
    let opType = this.#name('an op')
    let domain = ''
    while (this.#take('.')) opType += `.${this.#name('the rest of a domain')}`
    if (this.#take(':')) {
      domain = opType
      opType = this.#name('an op')
    }
    if (opType.includes('.')) throw this.#wrong(`: and an op behind the domain ${opType}`)
    return { domain, opType }
  }

  #term(): Term {
    const { kind, text } = this.#token
    if (kind === 'number') return { kind, value: Number(this.#advance().text) }
    if (kind !== 'name') throw this.#wrong('an input')
    const after = this.#tokens[this.#next + 1]?.text
    if (after === '(' || after === '|' || after === ':' || after === '.') {
      const call = this.#call()
      return { kind: 'output', call, index: 0 }
    }
    this.#advance()
    if (text === '_') return { kind: 'any' }
    const given = this.#given.get(text)
    if (given !== undefined) return { kind: 'output', ...given }
    this.#names.add(text)
    return { kind: text.startsWith('$') ? 'constant' : 'value', name: text }
  }

  #attributes(): { attributes: Map<string, Written>; copies: string[] } {
    const attributes = new Map<string, Written>()
    const copies: string[] = []
    if (!this.#take('{')) return { attributes, copies }
    while (!this.#take('}')) {
      if (attributes.size + copies.length > 0) this.#expect(',')
      if (this.#take('...')) {
        copies.push(this.#name('a name'))
        continue
      }
      const name = this.#name('an attribute')
      this.#expect(':')
      attributes.set(name, this.#written())
    }
    return { attributes, copies }
  }

  #written(): Written {
    if (this.#take('[')) {
      const start = this.#next
      const items: (number | string)[] = []
      while (!this.#take(']')) {
        if (items.length > 0) this.#expect(',')
        const { kind, text } = this.#advance()
        if (kind !== 'number' && kind !== 'text') throw this.#wrong('numbers or texts')
        items.push(kind === 'number' ? Number(text) : (JSON.parse(text) as string))
      }
      const isFloat = this.#tokens.slice(start, this.#next).some(isFloatToken)
      return isFloat ? { float: items as number[] } : items
    }
    const { kind, text } = this.#token
    if (kind === 'number') {
      const token = this.#advance()
      return isFloatToken(token) ? { float: Number(text) } : Number(text)
    }
    if (kind === 'text') return JSON.parse(this.#advance().text) as string
    const name = this.#name('a value')
    if (name === 'null') return null
    if (text.startsWith('$')) return { constant: name }
    this.#expect('.')
    return { of: name, attribute: this.#name('an attribute') }
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token
  }

  #advance(): Token {
    const token = this.#token
    this.#next++
    return token
  }

  #take(sign: string): boolean {
    const { kind, text } = this.#token
    if (kind !== 'sign' || text !== sign) return false
    this.#next++
    return true
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw this.#wrong(sign)
  }

  #name(what: string): string {
    if (this.#token.kind !== 'name') throw this.#wrong(what)
    return this.#advance().text
  }

  #split(): Token[] {
    const tokens: Token[] = []
    const end = this.#text.trimEnd().replace(/[\s;]+$/, '').length
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < end) {
      const at = TOKEN.lastIndex
      const groups = TOKEN.exec(this.#text)?.groups
      if (groups === undefined) throw this.#wrongAt('a name, a number, a text or a sign', this.#text.slice(at, at + 10))
      const [kind, text] = Object.entries(groups).find(([, part]) => part !== undefined) as [Token['kind'], string]
      tokens.push({ kind, text, at: TOKEN.lastIndex - text.length })
    }
    tokens.push({ kind: 'end', text: 'the end', at: this.#text.length })
    return tokens
  }

  #wrong(expected: string): TrtError {
    const { text, at } = this.#token
    return this.#wrongAt(expected, `${text} at character ${at}`)
  }

  #wrongAt(expected: string, received: string): TrtError {
    return new TrtError('INVALID_ARGUMENT', `pattern: expected ${expected}, received ${received}`, {
      hint: `for example: y = Relu(Conv(x, $w, $b) {group: 1}); received: ${this.#text}`,
    })
  }
}

/** Whether a number is written as a float. */
function isFloatToken({ kind, text }: Token): boolean {
  return kind === 'number' && /[.eE]/.test(text)
}
