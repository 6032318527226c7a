/**
 * The messages of onnx.proto as they are held in memory: structure decoded, payloads left where they are.
 * Field names are onnx.proto's in camel case; an absent optional field is `undefined`, an absent repeated one `[]`.
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

/** What every message holds besides its fields. */
export interface Message {
  readonly $type: MessageType
  /** Where it was read. Undefined for one made here. */
  $span: MessageSpan | undefined
  /** Whether a field of its own was changed. A message that was not, nor any inside it, is written as it was read. */
  $touched: boolean
  /** Whole fields that the schema does not know, kept byte for byte. */
  $unknown: Span[]
}

export interface ModelProto extends Message {
  irVersion: Int | undefined
  producerName: string | undefined
  producerVersion: string | undefined
  domain: string | undefined
  modelVersion: Int | undefined
  docString: Span | undefined
  graph: GraphProto | undefined
  opsetImport: OperatorSetIdProto[]
  metadataProps: StringStringEntryProto[]
  trainingInfo: TrainingInfoProto[]
  functions: FunctionProto[]
  configuration: DeviceConfigurationProto[]
}

export interface GraphProto extends Message {
  node: NodeProto[]
  name: string | undefined
  initializer: TensorProto[]
  docString: Span | undefined
  input: ValueInfoProto[]
  output: ValueInfoProto[]
  valueInfo: ValueInfoProto[]
  quantizationAnnotation: TensorAnnotation[]
  sparseInitializer: SparseTensorProto[]
  metadataProps: StringStringEntryProto[]
}

export interface NodeProto extends Message {
  input: string[]
  output: string[]
  name: string | undefined
  opType: string | undefined
  attribute: AttributeProto[]
  docString: Span | undefined
  domain: string | undefined
  overload: string | undefined
  metadataProps: StringStringEntryProto[]
  deviceConfigurations: NodeDeviceConfigurationProto[]
}

export interface AttributeProto extends Message {
  name: string | undefined
  f: number | undefined
  i: Int | undefined
  s: Span | undefined
  t: TensorProto | undefined
  g: GraphProto | undefined
  floats: Span[]
  ints: Span[]
  strings: Span[]
  tensors: TensorProto[]
  graphs: GraphProto[]
  docString: Span | undefined
  tp: TypeProto | undefined
  typeProtos: TypeProto[]
  type: Int | undefined
  refAttrName: string | undefined
  sparseTensor: SparseTensorProto | undefined
  sparseTensors: SparseTensorProto[]
}

export interface TensorProto extends Message {
  dims: Int[]
  dataType: Int | undefined
  segment: Span | undefined
  floatData: Span[]
  int32Data: Span[]
  stringData: Span[]
  int64Data: Span[]
  name: string | undefined
  rawData: Span | undefined
  doubleData: Span[]
  uint64Data: Span[]
  docString: Span | undefined
  externalData: StringStringEntryProto[]
  dataLocation: Int | undefined
  metadataProps: StringStringEntryProto[]
}

export interface SparseTensorProto extends Message {
  values: TensorProto | undefined
  indices: TensorProto | undefined
  dims: Int[]
}

export interface ValueInfoProto extends Message {
  name: string | undefined
  type: TypeProto | undefined
  docString: Span | undefined
  metadataProps: StringStringEntryProto[]
}

export interface TypeProto extends Message {
  tensorType: TensorTypeProto | undefined
  sequenceType: ElementTypeProto | undefined
  mapType: MapTypeProto | undefined
  denotation: string | undefined
  sparseTensorType: TensorTypeProto | undefined
  optionalType: ElementTypeProto | undefined
}

/** `TypeProto.Tensor` and `TypeProto.SparseTensor`. */
export interface TensorTypeProto extends Message {
  elemType: Int | undefined
  shape: TensorShapeProto | undefined
}

/** `TypeProto.Sequence` and `TypeProto.Optional`. */
export interface ElementTypeProto extends Message {
  elemType: TypeProto | undefined
}

/** `TypeProto.Map`. */
export interface MapTypeProto extends Message {
  keyType: Int | undefined
  valueType: TypeProto | undefined
}

export interface TensorShapeProto extends Message {
  dim: DimensionProto[]
}

/** `TensorShapeProto.Dimension`. */
export interface DimensionProto extends Message {
  dimValue: Int | undefined
  dimParam: string | undefined
  denotation: string | undefined
}

export interface StringStringEntryProto extends Message {
  key: string | undefined
  /** May be long: labels and tokenisers are kept in metadata. */
  value: Span | undefined
}

export interface OperatorSetIdProto extends Message {
  domain: string | undefined
  version: Int | undefined
}

export interface TensorAnnotation extends Message {
  tensorName: string | undefined
  quantParameterTensorNames: StringStringEntryProto[]
}

export interface TrainingInfoProto extends Message {
  initialization: GraphProto | undefined
  algorithm: GraphProto | undefined
  initializationBinding: StringStringEntryProto[]
  updateBinding: StringStringEntryProto[]
}

export interface FunctionProto extends Message {
  name: string | undefined
  input: string[]
  output: string[]
  attribute: string[]
  node: NodeProto[]
  docString: Span | undefined
  opsetImport: OperatorSetIdProto[]
  domain: string | undefined
  attributeProto: AttributeProto[]
  valueInfo: ValueInfoProto[]
  overload: string | undefined
  metadataProps: StringStringEntryProto[]
}

export interface DeviceConfigurationProto extends Message {
  name: string | undefined
  numDevices: Int | undefined
  device: string[]
}

export interface NodeDeviceConfigurationProto extends Message {
  configurationId: string | undefined
  shardingSpec: ShardingSpecProto[]
  pipelineStage: Int | undefined
}

export interface ShardingSpecProto extends Message {
  tensorName: string | undefined
  device: Span[]
  indexToDeviceGroupMap: Span[]
  shardedDim: Span[]
}

/** Every message type by its name. */
export interface Messages {
  ModelProto: ModelProto
  GraphProto: GraphProto
  NodeProto: NodeProto
  AttributeProto: AttributeProto
  TensorProto: TensorProto
  SparseTensorProto: SparseTensorProto
  ValueInfoProto: ValueInfoProto
  TypeProto: TypeProto
  TensorTypeProto: TensorTypeProto
  ElementTypeProto: ElementTypeProto
  MapTypeProto: MapTypeProto
  TensorShapeProto: TensorShapeProto
  DimensionProto: DimensionProto
  StringStringEntryProto: StringStringEntryProto
  OperatorSetIdProto: OperatorSetIdProto
  TensorAnnotation: TensorAnnotation
  TrainingInfoProto: TrainingInfoProto
  FunctionProto: FunctionProto
  DeviceConfigurationProto: DeviceConfigurationProto
  NodeDeviceConfigurationProto: NodeDeviceConfigurationProto
  ShardingSpecProto: ShardingSpecProto
}

export type MessageType = keyof Messages
