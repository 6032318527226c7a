/**
 * The messages of onnx.proto as they are held in memory: structure decoded, payloads left where they are.
 * Field names are onnx.proto's in camel case; an absent optional field is `undefined`, an absent repeated one `[]`
 * (one frozen array for all of them: assign a new list, never push into an old one).
 *
 * Absent fields are not in the object but in its prototype: a node has five fields of fourteen. With every field in
 * each object, a sixth of the time to decode 20,000 nodes went into setting absent ones, and garbage collection took
 * half as long again.
 */
import { SCHEMAS } from './schema.js'
import type { Span } from './source.js'

/** An integer of up to 64 bits: a bigint only where a number would not be exact. */
export type Int = number | bigint

/** A message's payload, and the field that it came in. */
export interface MessageSpan extends Span {
  /** Number of the field; 0 for a whole source. */
  readonly field: number
  /** Offset of the field's tag. */
  readonly head: number
}

/** Messages that were checked, and not decoded so far. */
export abstract class Lazy<T> {
  /** Their fields, whole; mostly one span. */
  spans: readonly Span[]
  /** Whether there is a graph in them. */
  hasGraphs = false

  constructor(spans: readonly Span[]) {
    this.spans = spans
  }

  abstract decode(): T
}

/** What every message holds besides its fields. */
export abstract class Message {
  abstract readonly $type: MessageType
  /** Where it was read. Undefined for one made here. */
  declare $span: MessageSpan | undefined
  /** Whether a field of its own was changed. A message that was not, nor any inside it, is written as it was read. */
  declare $touched: boolean
  /** Whole fields that the schema does not know, kept byte for byte. */
  declare $unknown: Span[]
}

export class ModelProto extends Message {
  get $type() {
    return 'ModelProto' as const
  }
  declare irVersion: Int | undefined
  declare producerName: string | undefined
  declare producerVersion: string | undefined
  declare domain: string | undefined
  declare modelVersion: Int | undefined
  declare docString: Span | undefined
  declare graph: GraphProto | undefined
  declare opsetImport: OperatorSetIdProto[]
  declare metadataProps: StringStringEntryProto[]
  declare trainingInfo: TrainingInfoProto[]
  declare functions: FunctionProto[]
  declare configuration: DeviceConfigurationProto[]
}

export class GraphProto extends Message {
  get $type() {
    return 'GraphProto' as const
  }
  declare node: NodeProto[]
  declare name: string | undefined
  declare initializer: TensorProto[]
  declare docString: Span | undefined
  declare input: ValueInfoProto[]
  declare output: ValueInfoProto[]
  declare valueInfo: ValueInfoProto[]
  declare quantizationAnnotation: TensorAnnotation[]
  declare sparseInitializer: SparseTensorProto[]
  declare metadataProps: StringStringEntryProto[]
}

export class NodeProto extends Message {
  get $type() {
    return 'NodeProto' as const
  }
  declare input: string[]
  declare output: string[]
  declare name: string | undefined
  declare opType: string | undefined
  declare $attribute: AttributeProto[] | Lazy<AttributeProto[]>
  declare docString: Span | undefined
  declare domain: string | undefined
  declare overload: string | undefined
  declare metadataProps: StringStringEntryProto[]
  declare deviceConfigurations: NodeDeviceConfigurationProto[]

  get attribute(): AttributeProto[] {
    if (this.$attribute instanceof Lazy) this.$attribute = this.$attribute.decode()
    return this.$attribute
  }

  set attribute(attributes: AttributeProto[]) {
    this.$attribute = attributes
  }

  /** Whether an attribute may hold a graph; false is certain, and costs no decoding. */
  get mayHaveGraphs(): boolean {
    return this.$attribute instanceof Lazy ? this.$attribute.hasGraphs : this.$attribute.length > 0
  }
}

export class AttributeProto extends Message {
  get $type() {
    return 'AttributeProto' as const
  }
  declare name: string | undefined
  declare f: number | undefined
  declare i: Int | undefined
  declare s: Span | undefined
  declare t: TensorProto | undefined
  declare g: GraphProto | undefined
  declare floats: Span[]
  declare ints: Span[]
  declare strings: Span[]
  declare tensors: TensorProto[]
  declare graphs: GraphProto[]
  declare docString: Span | undefined
  declare tp: TypeProto | undefined
  declare typeProtos: TypeProto[]
  declare type: Int | undefined
  declare refAttrName: string | undefined
  declare sparseTensor: SparseTensorProto | undefined
  declare sparseTensors: SparseTensorProto[]
}

export class TensorProto extends Message {
  get $type() {
    return 'TensorProto' as const
  }
  declare dims: Int[]
  declare dataType: Int | undefined
  declare segment: Span | undefined
  declare floatData: Span[]
  declare int32Data: Span[]
  declare stringData: Span[]
  declare int64Data: Span[]
  declare name: string | undefined
  declare rawData: Span | undefined
  declare doubleData: Span[]
  declare uint64Data: Span[]
  declare docString: Span | undefined
  declare externalData: StringStringEntryProto[]
  declare dataLocation: Int | undefined
  declare metadataProps: StringStringEntryProto[]
}

export class SparseTensorProto extends Message {
  get $type() {
    return 'SparseTensorProto' as const
  }
  declare values: TensorProto | undefined
  declare indices: TensorProto | undefined
  declare dims: Int[]
}

export class ValueInfoProto extends Message {
  get $type() {
    return 'ValueInfoProto' as const
  }
  declare name: string | undefined
  declare $valueType: TypeProto | undefined | Lazy<TypeProto>
  declare docString: Span | undefined
  declare metadataProps: StringStringEntryProto[]

  get type(): TypeProto | undefined {
    if (this.$valueType instanceof Lazy) this.$valueType = this.$valueType.decode()
    return this.$valueType
  }

  set type(type: TypeProto | undefined) {
    this.$valueType = type
  }
}

export class TypeProto extends Message {
  get $type() {
    return 'TypeProto' as const
  }
  declare tensorType: TensorTypeProto | undefined
  declare sequenceType: ElementTypeProto | undefined
  declare mapType: MapTypeProto | undefined
  declare denotation: string | undefined
  declare sparseTensorType: TensorTypeProto | undefined
  declare optionalType: ElementTypeProto | undefined
}

/** `TypeProto.Tensor` and `TypeProto.SparseTensor`. */
export class TensorTypeProto extends Message {
  get $type() {
    return 'TensorTypeProto' as const
  }
  declare elemType: Int | undefined
  declare shape: TensorShapeProto | undefined
}

/** `TypeProto.Sequence` and `TypeProto.Optional`. */
export class ElementTypeProto extends Message {
  get $type() {
    return 'ElementTypeProto' as const
  }
  declare elemType: TypeProto | undefined
}

/** `TypeProto.Map`. */
export class MapTypeProto extends Message {
  get $type() {
    return 'MapTypeProto' as const
  }
  declare keyType: Int | undefined
  declare valueType: TypeProto | undefined
}

export class TensorShapeProto extends Message {
  get $type() {
    return 'TensorShapeProto' as const
  }
  declare dim: DimensionProto[]
}

/** `TensorShapeProto.Dimension`. */
export class DimensionProto extends Message {
  get $type() {
    return 'DimensionProto' as const
  }
  declare dimValue: Int | undefined
  declare dimParam: string | undefined
  declare denotation: string | undefined
}

export class StringStringEntryProto extends Message {
  get $type() {
    return 'StringStringEntryProto' as const
  }
  declare key: string | undefined
  /** May be long: labels and tokenisers are kept in metadata. */
  declare value: Span | undefined
}

export class OperatorSetIdProto extends Message {
  get $type() {
    return 'OperatorSetIdProto' as const
  }
  declare domain: string | undefined
  declare version: Int | undefined
}

export class TensorAnnotation extends Message {
  get $type() {
    return 'TensorAnnotation' as const
  }
  declare tensorName: string | undefined
  declare quantParameterTensorNames: StringStringEntryProto[]
}

export class TrainingInfoProto extends Message {
  get $type() {
    return 'TrainingInfoProto' as const
  }
  declare initialization: GraphProto | undefined
  declare algorithm: GraphProto | undefined
  declare initializationBinding: StringStringEntryProto[]
  declare updateBinding: StringStringEntryProto[]
}

export class FunctionProto extends Message {
  get $type() {
    return 'FunctionProto' as const
  }
  declare name: string | undefined
  declare input: string[]
  declare output: string[]
  declare attribute: string[]
  declare node: NodeProto[]
  declare docString: Span | undefined
  declare opsetImport: OperatorSetIdProto[]
  declare domain: string | undefined
  declare attributeProto: AttributeProto[]
  declare valueInfo: ValueInfoProto[]
  declare overload: string | undefined
  declare metadataProps: StringStringEntryProto[]
}

export class DeviceConfigurationProto extends Message {
  get $type() {
    return 'DeviceConfigurationProto' as const
  }
  declare name: string | undefined
  declare numDevices: Int | undefined
  declare device: string[]
}

export class NodeDeviceConfigurationProto extends Message {
  get $type() {
    return 'NodeDeviceConfigurationProto' as const
  }
  declare configurationId: string | undefined
  declare shardingSpec: ShardingSpecProto[]
  declare pipelineStage: Int | undefined
}

export class ShardingSpecProto extends Message {
  get $type() {
    return 'ShardingSpecProto' as const
  }
  declare tensorName: string | undefined
  declare device: Span[]
  declare indexToDeviceGroupMap: Span[]
  declare shardedDim: Span[]
}

/** Every message type by its name. */
export const MESSAGES = {
  ModelProto,
  GraphProto,
  NodeProto,
  AttributeProto,
  TensorProto,
  SparseTensorProto,
  ValueInfoProto,
  TypeProto,
  TensorTypeProto,
  ElementTypeProto,
  MapTypeProto,
  TensorShapeProto,
  DimensionProto,
  StringStringEntryProto,
  OperatorSetIdProto,
  TensorAnnotation,
  TrainingInfoProto,
  FunctionProto,
  DeviceConfigurationProto,
  NodeDeviceConfigurationProto,
  ShardingSpecProto,
}

export type Messages = { [T in keyof typeof MESSAGES]: InstanceType<(typeof MESSAGES)[T]> }

export type MessageType = keyof typeof MESSAGES

/** The list of every absent repeated field. */
export const NONE = Object.freeze([]) as unknown as never[]

Object.assign(Message.prototype, { $span: undefined, $touched: false, $unknown: NONE })
for (const { type, fields } of Object.values(SCHEMAS)) {
  const absent = fields.map(({ slot, repeated }) => [slot, repeated ? NONE : undefined])
  Object.assign(MESSAGES[type].prototype, Object.fromEntries(absent))
}

/** A message of these fields. */
export function newMessage<T extends MessageType>(type: T, fields: Partial<Messages[T]> = {}): Messages[T] {
  return Object.assign(new MESSAGES[type](), fields, { $touched: true }) as Messages[T]
}

/** A copy of a message with other values for some fields; what is inside the other fields is shared. */
export function changed<M extends Message>(message: M, fields: Partial<M>): M {
  const copy = new MESSAGES[message.$type]()
  return Object.assign(copy, message, { $span: undefined, $touched: true }, fields) as unknown as M
}

/** A copy of a message that shares nothing with it but bytes. */
export function cloned<M extends Message>(message: M): M {
  const copy = Object.assign(new MESSAGES[message.$type](), message) as unknown as Record<string, unknown>
  for (const { slot, kind } of SCHEMAS[message.$type].messageFields) {
    const value = copy[slot]
    if (value === undefined || value instanceof Lazy) continue
    copy[slot] = kind === 'messages' ? (value as Message[]).map(cloned) : cloned(value as Message)
  }
  return copy as unknown as M
}
