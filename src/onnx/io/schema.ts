/**
 * The messages of onnx.proto as tables, up to IR version 13 (onnx 1.22): what the decoder and the encoder go by.
 * proto.ts has the same messages as TypeScript types.
 *
 * Why tables, and not generated code: every serialiser for JavaScript copies the weights, none can leave a payload in
 * the file, and most lose unknown fields. protobuf-es keeps them; to read, change and write 525 MB it takes 1.8 GB of
 * memory, this 65 MB. The tests hold Python's onnx against it.
 */
import type { MessageType } from './proto.js'
import { BYTES, FIXED32, VARINT } from './wire-reader.js'

/**
 * How a field is kept:
 * - `string` and `strings`: names, decoded
 * - `int`, `ints`, `float`: decoded; an int is a bigint where a number would not be exact
 * - `blob`: bytes or long text, left where they are as a span of the payload
 * - `packed`: repeated numbers or bytes that may be many, left where they are as spans of whole fields
 * - `message`, `messages`
 */
export type FieldKind = 'string' | 'strings' | 'int' | 'ints' | 'float' | 'blob' | 'packed' | 'message' | 'messages'

/** One field of a message. */
export interface Field {
  readonly number: number
  readonly name: string
  readonly kind: FieldKind
  /** The message inside, for `message` and `messages`. */
  readonly type: MessageType | undefined
  readonly repeated: boolean
  /** Checked when read, decoded when asked for: most models are mostly attributes and types that nobody looks at. */
  readonly lazy: boolean
  /** The property that holds it: another than the name where it is lazy. */
  readonly slot: string
  /** The wire types that it may have, as bits. */
  readonly wires: number
}

/** A message's fields. */
export interface Schema {
  readonly type: MessageType
  /** In order of their numbers, as serialisers write them. */
  readonly fields: readonly Field[]
  /** Those that hold messages. */
  readonly messageFields: readonly Field[]
  /** By number. */
  readonly byNumber: readonly (Field | undefined)[]
}

/** `name: 'number kind [message, or wire type of an element] [lazy]'` */
const TABLES: Record<MessageType, Record<string, string>> = {
  ModelProto: {
    irVersion: '1 int',
    producerName: '2 string',
    producerVersion: '3 string',
    domain: '4 string',
    modelVersion: '5 int',
    docString: '6 blob',
    graph: '7 message GraphProto',
    opsetImport: '8 messages OperatorSetIdProto',
    metadataProps: '14 messages StringStringEntryProto',
    trainingInfo: '20 messages TrainingInfoProto',
    functions: '25 messages FunctionProto',
    configuration: '26 messages DeviceConfigurationProto',
  },
  GraphProto: {
    node: '1 messages NodeProto',
    name: '2 string',
    initializer: '5 messages TensorProto',
    docString: '10 blob',
    input: '11 messages ValueInfoProto',
    output: '12 messages ValueInfoProto',
    valueInfo: '13 messages ValueInfoProto',
    quantizationAnnotation: '14 messages TensorAnnotation',
    sparseInitializer: '15 messages SparseTensorProto',
    metadataProps: '16 messages StringStringEntryProto',
  },
  NodeProto: {
    input: '1 strings',
    output: '2 strings',
    name: '3 string',
    opType: '4 string',
    attribute: '5 messages AttributeProto lazy',
    docString: '6 blob',
    domain: '7 string',
    overload: '8 string',
    metadataProps: '9 messages StringStringEntryProto',
    deviceConfigurations: '10 messages NodeDeviceConfigurationProto',
  },
  AttributeProto: {
    name: '1 string',
    f: '2 float',
    i: '3 int',
    s: '4 blob',
    t: '5 message TensorProto',
    g: '6 message GraphProto',
    floats: '7 packed 5',
    ints: '8 packed 0',
    strings: '9 packed 2',
    tensors: '10 messages TensorProto',
    graphs: '11 messages GraphProto',
    docString: '13 blob',
    tp: '14 message TypeProto',
    typeProtos: '15 messages TypeProto',
    type: '20 int',
    refAttrName: '21 string',
    sparseTensor: '22 message SparseTensorProto',
    sparseTensors: '23 messages SparseTensorProto',
  },
  TensorProto: {
    dims: '1 ints',
    dataType: '2 int',
    segment: '3 blob',
    floatData: '4 packed 5',
    int32Data: '5 packed 0',
    stringData: '6 packed 2',
    int64Data: '7 packed 0',
    name: '8 string',
    rawData: '9 blob',
    doubleData: '10 packed 1',
    uint64Data: '11 packed 0',
    docString: '12 blob',
    externalData: '13 messages StringStringEntryProto',
    dataLocation: '14 int',
    metadataProps: '16 messages StringStringEntryProto',
  },
  SparseTensorProto: { values: '1 message TensorProto', indices: '2 message TensorProto', dims: '3 ints' },
  ValueInfoProto: {
    name: '1 string',
    type: '2 message TypeProto lazy',
    docString: '3 blob',
    metadataProps: '4 messages StringStringEntryProto',
  },
  TypeProto: {
    tensorType: '1 message TensorTypeProto',
    sequenceType: '4 message ElementTypeProto',
    mapType: '5 message MapTypeProto',
    denotation: '6 string',
    sparseTensorType: '8 message TensorTypeProto',
    optionalType: '9 message ElementTypeProto',
  },
  TensorTypeProto: { elemType: '1 int', shape: '2 message TensorShapeProto' },
  ElementTypeProto: { elemType: '1 message TypeProto' },
  MapTypeProto: { keyType: '1 int', valueType: '2 message TypeProto' },
  TensorShapeProto: { dim: '1 messages DimensionProto' },
  DimensionProto: { dimValue: '1 int', dimParam: '2 string', denotation: '3 string' },
  StringStringEntryProto: { key: '1 string', value: '2 blob' },
  OperatorSetIdProto: { domain: '1 string', version: '2 int' },
  TensorAnnotation: {
    tensorName: '1 string',
    quantParameterTensorNames: '2 messages StringStringEntryProto',
  },
  TrainingInfoProto: {
    initialization: '1 message GraphProto',
    algorithm: '2 message GraphProto',
    initializationBinding: '3 messages StringStringEntryProto',
    updateBinding: '4 messages StringStringEntryProto',
  },
  FunctionProto: {
    name: '1 string',
    input: '4 strings',
    output: '5 strings',
    attribute: '6 strings',
    node: '7 messages NodeProto',
    docString: '8 blob',
    opsetImport: '9 messages OperatorSetIdProto',
    domain: '10 string',
    attributeProto: '11 messages AttributeProto',
    valueInfo: '12 messages ValueInfoProto',
    overload: '13 string',
    metadataProps: '14 messages StringStringEntryProto',
  },
  DeviceConfigurationProto: { name: '1 string', numDevices: '2 int', device: '3 strings' },
  NodeDeviceConfigurationProto: {
    configurationId: '1 string',
    shardingSpec: '2 messages ShardingSpecProto',
    pipelineStage: '3 int',
  },
  ShardingSpecProto: {
    tensorName: '1 string',
    device: '2 packed 0',
    indexToDeviceGroupMap: '3 packed 2',
    shardedDim: '4 packed 2',
  },
}

function schemaOf(type: MessageType): Schema {
  const fields = Object.entries(TABLES[type]).map(([name, text]) => fieldOf(name, text))
  fields.sort((a, b) => a.number - b.number)
  const byNumber: (Field | undefined)[] = []
  for (const field of fields) byNumber[field.number] = field
  const messageFields = fields.filter((field) => field.type !== undefined)
  return { type, fields, messageFields, byNumber: Array.from(byNumber) }
}

function fieldOf(name: string, text: string): Field {
  const [number, kind, third, fourth] = text.split(' ') as [string, FieldKind, string?, string?]
  const lazy = fourth === 'lazy'
  return {
    number: Number(number),
    name,
    kind,
    type: kind.startsWith('message') ? (third as MessageType) : undefined,
    repeated: kind.endsWith('s') || kind === 'packed',
    lazy,
    slot: lazy ? slotOf(name) : name,
    wires: wiresOf(kind, Number(third)),
  }
}

/** `$type` is taken: it names the message itself. */
function slotOf(name: string): string {
  return name === 'type' ? '$valueType' : `$${name}`
}

function wiresOf(kind: FieldKind, element: number): number {
  switch (kind) {
    case 'int':
      return 1 << VARINT
    case 'ints':
      return (1 << VARINT) | (1 << BYTES)
    case 'float':
      return 1 << FIXED32
    case 'packed':
      return (1 << element) | (1 << BYTES)
    default:
      return 1 << BYTES
  }
}

/** Every message's schema. */
export const SCHEMAS = Object.fromEntries(
  Object.keys(TABLES).map((type) => [type, schemaOf(type as MessageType)]),
) as Record<MessageType, Schema>
