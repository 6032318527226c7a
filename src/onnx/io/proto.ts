/**
 * The messages of onnx.proto as they are held in memory: structure decoded, payloads left where they are.
 * Field names are onnx.proto's in camel case; an absent optional field is `undefined`, an absent repeated one `[]`
 * (one frozen array for all of them: assign a new list, never push into an old one).
 *
 * Classes, and not object literals made from the tables in schema.ts: those took four times as long for the 150,000
 * messages of 20,000 nodes, as V8 gave them no common shape.
 */
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

const NONE = Object.freeze([]) as unknown as never[]

/** Messages that were checked, and not decoded so far. */
export class Lazy<T> {
  /** Their fields, whole. */
  readonly spans: Span[] = []
  /** Whether there is a graph in them. */
  hasGraphs = false
  readonly #decode: (spans: readonly Span[]) => T

  constructor(decode: (spans: readonly Span[]) => T) {
    this.#decode = decode
  }

  decode(): T {
    return this.#decode(this.spans)
  }
}

/** What every message holds besides its fields. */
export abstract class Message {
  abstract readonly $type: MessageType
  /** Where it was read. Undefined for one made here. */
  $span: MessageSpan | undefined = undefined
  /** Whether a field of its own was changed. A message that was not, nor any inside it, is written as it was read. */
  $touched = false
  /** Whole fields that the schema does not know, kept byte for byte. */
  $unknown: Span[] = NONE
}

export class ModelProto extends Message {
  get $type() {
    return 'ModelProto' as const
  }
  irVersion: Int | undefined = undefined
  producerName: string | undefined = undefined
  producerVersion: string | undefined = undefined
  domain: string | undefined = undefined
  modelVersion: Int | undefined = undefined
  docString: Span | undefined = undefined
  graph: GraphProto | undefined = undefined
  opsetImport: OperatorSetIdProto[] = NONE
  metadataProps: StringStringEntryProto[] = NONE
  trainingInfo: TrainingInfoProto[] = NONE
  functions: FunctionProto[] = NONE
  configuration: DeviceConfigurationProto[] = NONE
}

export class GraphProto extends Message {
  get $type() {
    return 'GraphProto' as const
  }
  node: NodeProto[] = NONE
  name: string | undefined = undefined
  initializer: TensorProto[] = NONE
  docString: Span | undefined = undefined
  input: ValueInfoProto[] = NONE
  output: ValueInfoProto[] = NONE
  valueInfo: ValueInfoProto[] = NONE
  quantizationAnnotation: TensorAnnotation[] = NONE
  sparseInitializer: SparseTensorProto[] = NONE
  metadataProps: StringStringEntryProto[] = NONE
}

export class NodeProto extends Message {
  get $type() {
    return 'NodeProto' as const
  }
  input: string[] = NONE
  output: string[] = NONE
  name: string | undefined = undefined
  opType: string | undefined = undefined
  $attribute: AttributeProto[] | Lazy<AttributeProto[]> = NONE
  docString: Span | undefined = undefined
  domain: string | undefined = undefined
  overload: string | undefined = undefined
  metadataProps: StringStringEntryProto[] = NONE
  deviceConfigurations: NodeDeviceConfigurationProto[] = NONE

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
  name: string | undefined = undefined
  f: number | undefined = undefined
  i: Int | undefined = undefined
  s: Span | undefined = undefined
  t: TensorProto | undefined = undefined
  g: GraphProto | undefined = undefined
  floats: Span[] = NONE
  ints: Span[] = NONE
  strings: Span[] = NONE
  tensors: TensorProto[] = NONE
  graphs: GraphProto[] = NONE
  docString: Span | undefined = undefined
  tp: TypeProto | undefined = undefined
  typeProtos: TypeProto[] = NONE
  type: Int | undefined = undefined
  refAttrName: string | undefined = undefined
  sparseTensor: SparseTensorProto | undefined = undefined
  sparseTensors: SparseTensorProto[] = NONE
}

export class TensorProto extends Message {
  get $type() {
    return 'TensorProto' as const
  }
  dims: Int[] = NONE
  dataType: Int | undefined = undefined
  segment: Span | undefined = undefined
  floatData: Span[] = NONE
  int32Data: Span[] = NONE
  stringData: Span[] = NONE
  int64Data: Span[] = NONE
  name: string | undefined = undefined
  rawData: Span | undefined = undefined
  doubleData: Span[] = NONE
  uint64Data: Span[] = NONE
  docString: Span | undefined = undefined
  externalData: StringStringEntryProto[] = NONE
  dataLocation: Int | undefined = undefined
  metadataProps: StringStringEntryProto[] = NONE
}

export class SparseTensorProto extends Message {
  get $type() {
    return 'SparseTensorProto' as const
  }
  values: TensorProto | undefined = undefined
  indices: TensorProto | undefined = undefined
  dims: Int[] = NONE
}

export class ValueInfoProto extends Message {
  get $type() {
    return 'ValueInfoProto' as const
  }
  name: string | undefined = undefined
  $valueType: TypeProto | undefined | Lazy<TypeProto> = undefined
  docString: Span | undefined = undefined
  metadataProps: StringStringEntryProto[] = NONE

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
  tensorType: TensorTypeProto | undefined = undefined
  sequenceType: ElementTypeProto | undefined = undefined
  mapType: MapTypeProto | undefined = undefined
  denotation: string | undefined = undefined
  sparseTensorType: TensorTypeProto | undefined = undefined
  optionalType: ElementTypeProto | undefined = undefined
}

/** `TypeProto.Tensor` and `TypeProto.SparseTensor`. */
export class TensorTypeProto extends Message {
  get $type() {
    return 'TensorTypeProto' as const
  }
  elemType: Int | undefined = undefined
  shape: TensorShapeProto | undefined = undefined
}

/** `TypeProto.Sequence` and `TypeProto.Optional`. */
export class ElementTypeProto extends Message {
  get $type() {
    return 'ElementTypeProto' as const
  }
  elemType: TypeProto | undefined = undefined
}

/** `TypeProto.Map`. */
export class MapTypeProto extends Message {
  get $type() {
    return 'MapTypeProto' as const
  }
  keyType: Int | undefined = undefined
  valueType: TypeProto | undefined = undefined
}

export class TensorShapeProto extends Message {
  get $type() {
    return 'TensorShapeProto' as const
  }
  dim: DimensionProto[] = NONE
}

/** `TensorShapeProto.Dimension`. */
export class DimensionProto extends Message {
  get $type() {
    return 'DimensionProto' as const
  }
  dimValue: Int | undefined = undefined
  dimParam: string | undefined = undefined
  denotation: string | undefined = undefined
}

export class StringStringEntryProto extends Message {
  get $type() {
    return 'StringStringEntryProto' as const
  }
  key: string | undefined = undefined
  /** May be long: labels and tokenisers are kept in metadata. */
  value: Span | undefined = undefined
}

export class OperatorSetIdProto extends Message {
  get $type() {
    return 'OperatorSetIdProto' as const
  }
  domain: string | undefined = undefined
  version: Int | undefined = undefined
}

export class TensorAnnotation extends Message {
  get $type() {
    return 'TensorAnnotation' as const
  }
  tensorName: string | undefined = undefined
  quantParameterTensorNames: StringStringEntryProto[] = NONE
}

export class TrainingInfoProto extends Message {
  get $type() {
    return 'TrainingInfoProto' as const
  }
  initialization: GraphProto | undefined = undefined
  algorithm: GraphProto | undefined = undefined
  initializationBinding: StringStringEntryProto[] = NONE
  updateBinding: StringStringEntryProto[] = NONE
}

export class FunctionProto extends Message {
  get $type() {
    return 'FunctionProto' as const
  }
  name: string | undefined = undefined
  input: string[] = NONE
  output: string[] = NONE
  attribute: string[] = NONE
  node: NodeProto[] = NONE
  docString: Span | undefined = undefined
  opsetImport: OperatorSetIdProto[] = NONE
  domain: string | undefined = undefined
  attributeProto: AttributeProto[] = NONE
  valueInfo: ValueInfoProto[] = NONE
  overload: string | undefined = undefined
  metadataProps: StringStringEntryProto[] = NONE
}

export class DeviceConfigurationProto extends Message {
  get $type() {
    return 'DeviceConfigurationProto' as const
  }
  name: string | undefined = undefined
  numDevices: Int | undefined = undefined
  device: string[] = NONE
}

export class NodeDeviceConfigurationProto extends Message {
  get $type() {
    return 'NodeDeviceConfigurationProto' as const
  }
  configurationId: string | undefined = undefined
  shardingSpec: ShardingSpecProto[] = NONE
  pipelineStage: Int | undefined = undefined
}

export class ShardingSpecProto extends Message {
  get $type() {
    return 'ShardingSpecProto' as const
  }
  tensorName: string | undefined = undefined
  device: Span[] = NONE
  indexToDeviceGroupMap: Span[] = NONE
  shardedDim: Span[] = NONE
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

/** A message of these fields. */
export function newMessage<T extends MessageType>(type: T, fields: Partial<Messages[T]> = {}): Messages[T] {
  return Object.assign(new MESSAGES[type](), fields, { $touched: true }) as Messages[T]
}

/** A copy of a message with other values for some fields; what is inside the other fields is shared. */
export function changed<M extends Message>(message: M, fields: Partial<M>): M {
  const copy = new MESSAGES[message.$type]()
  return Object.assign(copy, message, { $span: undefined, $touched: true }, fields) as unknown as M
}
