import { SCHEMA_TABLE } from './schema-table.js'

/** An input or output of an op. */
export interface FormalParameter {
  readonly name: string
  /** A letter of {@link OpSchema.typeConstraints}, such as `T`, or a type, such as `int64` or `sequence(float32)`. */
  readonly type: string
  /** A variadic one is the last, and stands for any number of values, of one type if `homogeneous`. */
  readonly option: 'single' | 'optional' | 'variadic'
  readonly homogeneous: boolean
  /** How many a variadic one stands for at least; 1 for others, 0 for optional ones. */
  readonly atLeast: number
}

/** What {@link AttributeSchema.type} can be; as {@link Attribute.type}. */
export type SchemaAttributeType = (typeof ATTRIBUTE_TYPES)[keyof typeof ATTRIBUTE_TYPES]

/** An attribute that an op may or must have. */
export interface AttributeSchema {
  readonly name: string
  readonly type: SchemaAttributeType
  readonly required: boolean
  /** What holds where a node does not have it; undefined where nothing is said. */
  readonly default: number | string | readonly number[] | readonly string[] | undefined
}

/** What an operator set says of an op. */
export interface OpSchema {
  readonly opType: string
  /** `''` is ONNX's own. */
  readonly domain: string
  /** The first operator set in which the op is as this says. */
  readonly sinceVersion: number
  /** Whether the op is no more to be used from that version on. */
  readonly deprecated: boolean
  readonly inputs: readonly FormalParameter[]
  readonly outputs: readonly FormalParameter[]
  /** By letter, the types that it may stand for. All parameters with a letter have the same type. */
  readonly typeConstraints: ReadonlyMap<string, ReadonlySet<string>>
  readonly attributes: ReadonlyMap<string, AttributeSchema>
}

/**
 * The schema of an op in an operator set: of the newest version that is not newer than `opset`. Those of onnx 1.22:
 * ONNX's own domain `''` up to operator set 27, `ai.onnx.ml`, `ai.onnx.preview`, `ai.onnx.preview.training`.
 *
 * @returns undefined where the operator set has no such op, or the domain is none of ONNX's
 */
export function schemaOf(opType: string, domain: string, opset: number): OpSchema | undefined {
  versions ??= readTable(SCHEMA_TABLE)
  return versions.get(`${domain === 'ai.onnx' ? '' : domain}:${opType}`)?.find(({ since }) => since <= opset)?.schema
}

/** By domain and op, newest first. Filled by the first question, in a few milliseconds, as most imports ask none. */
let versions: Map<string, Version[]> | undefined

const ATTRIBUTE_TYPES = {
  f: 'float',
  i: 'int',
  s: 'string',
  t: 'tensor',
  g: 'graph',
  p: 'sparse_tensor',
  y: 'type_proto',
  F: 'floats',
  I: 'ints',
  S: 'strings',
  T: 'tensors',
  G: 'graphs',
  P: 'sparse_tensors',
  Y: 'type_protos',
} as const

/**
 * One version of an op, read when it is asked for. Its line is `Op since|inputs|outputs|constraints|attributes`:
 *
 * - `Op 10!` is deprecated
 * - `X:T`, `B:T?` optional, `xs:T*1` variadic of at least one, `xs:V~1` likewise, of different types
 * - `T=3` may be what set 3 holds
 * - `axis:i=1` has a default (as JSON), `to:i!` is required; letters as in {@link ATTRIBUTE_TYPES}
 * - `=` for a part that is as in the version before
 */
class Version {
  readonly since: number
  readonly #opType: string
  readonly #domain: string
  readonly #deprecated: boolean
  readonly #sets: readonly string[]
  /** Inputs, outputs, constraints, attributes. */
  readonly #parts: readonly string[]
  #schema: OpSchema | undefined

  constructor(line: string, domain: string, sets: readonly string[], before: Version | undefined) {
    const [title = '', ...parts] = line.split('|')
    const [opType = '', since = ''] = title.split(' ')
    this.since = Number.parseInt(since, 10)
    this.#opType = opType
    this.#domain = domain
    this.#deprecated = since.endsWith('!')
    this.#sets = sets
    this.#parts = parts.map((part, index) => (part === '=' ? (before as Version).#part(index) : part))
  }

  get opType(): string {
    return this.#opType
  }

  get schema(): OpSchema {
    this.#schema ??= this.#read()
    return this.#schema
  }

  #read(): OpSchema {
    const [inputs, outputs, constraints, attributes] = this.#parts.map((part) => (part === '' ? [] : part.split(' ')))
    return {
      opType: this.#opType,
      domain: this.#domain,
      sinceVersion: this.since,
      deprecated: this.#deprecated,
      inputs: inputs?.map(readParameter) ?? [],
      outputs: outputs?.map(readParameter) ?? [],
      typeConstraints: new Map(constraints?.map((text) => this.#readConstraint(text))),
      attributes: new Map(attributes?.map(readAttribute).map((attribute) => [attribute.name, attribute])),
    }
  }

  #part(index: number): string {
    return this.#parts[index] ?? ''
  }

  #readConstraint(text: string): [letter: string, types: ReadonlySet<string>] {
    const [letter = '', set] = text.split('=')
    return [letter, new Set(this.#sets[Number(set)]?.split(' '))]
  }
}

/** The sets of types, a line with `#`, then for each domain its ops, the versions of each oldest first. */
function readTable(table: string): Map<string, Version[]> {
  const lines = table.split('\n')
  const sets = lines.slice(0, lines.indexOf('#')).map((line) => line.slice(line.indexOf(' ') + 1))
  const result = new Map<string, Version[]>()
  let domain = ''
  let last: Version | undefined
  for (const line of lines.slice(sets.length + 1)) {
    if (line.startsWith('#')) {
      domain = line.slice(1)
      continue
    }
    last = new Version(line, domain, sets, last)
    const key = `${domain}:${last.opType}`
    const known = result.get(key)
    if (known === undefined) result.set(key, [last])
    else known.unshift(last)
  }
  return result
}

function readParameter(text: string): FormalParameter {
  const {
    name = '',
    type = '',
    mark,
    count,
  } = /^(?<name>[^:]+):(?<type>[^?*~]+)(?<mark>[?*~])?(?<count>\d+)?$/.exec(text)?.groups ?? {}
  const variadic = mark === '*' || mark === '~'
  return {
    name,
    type,
    option: variadic ? 'variadic' : mark === '?' ? 'optional' : 'single',
    homogeneous: mark !== '~',
    atLeast: variadic ? Number(count) : mark === '?' ? 0 : 1,
  }
}

function readAttribute(text: string): AttributeSchema {
  const { name = '', letter = '', rest = '' } = /^(?<name>\w+):(?<letter>\w)(?<rest>.*)$/.exec(text)?.groups ?? {}
  return {
    name,
    type: ATTRIBUTE_TYPES[letter as keyof typeof ATTRIBUTE_TYPES],
    required: rest === '!',
    default: rest.startsWith('=') ? JSON.parse(rest.slice(1)) : undefined,
  }
}
