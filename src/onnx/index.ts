/**
 * Read, look at, change and write ONNX models. Free of native code.
 *
 * @example
 * import * as onnx from 'tensorrt-node/onnx'
 * const model = await onnx.read('model.onnx')
 * console.log(model.print())
 *
 * @packageDocumentation
 */
export {
  formatCalibrationCache,
  parseCalibrationCache,
  readCalibrationCache,
  writeCalibrationCache,
} from './calibration/cache.js'
export { type CalibrateOptions, type CalibrationSamples, calibrate } from './calibration/calibrate.js'
export { CALIBRATION_METHODS, type CalibrationMethod } from './calibration/thresholds.js'
export type { ElementType } from './data-types.js'
export { type Difference, diff } from './diff.js'
export { inspectModel, type ModelInfo, type ValueInfo } from './inspect-model.js'
export type { ExternalFile } from './io/external-data.js'
export type { WriteOptions } from './io/move-data.js'
export type { Int } from './io/proto.js'
export type { ModelSource } from './io/source.js'
export type { Finding, Fix, RecipeStep } from './lint/finding.js'
export type { InputValues } from './lint/likely-values.js'
export { type LintOptions, type LintTarget, lint } from './lint/lint.js'
export { type GivenShape, type ProposedRange, proposeShapes, type ShapedInput } from './lint/propose-shapes.js'
export { Attribute, type AttributeContent, type AttributeType, type AttributeValues } from './model/attribute.js'
export { Graph } from './model/graph.js'
export { Metadata } from './model/metadata.js'
export { Model } from './model/model.js'
export { ModelFunction } from './model/model-function.js'
export { Node, type NodeSpec } from './model/node.js'
export type { NodeQuery } from './model/node-query.js'
export type { PruneResult } from './model/prune.js'
export { read } from './model/read.js'
export type { TensorStatistics } from './model/statistics.js'
export { ModelTensor, type RawTensor } from './model/tensor.js'
export { Value } from './model/value.js'
export {
  type AttributeSchema,
  type FormalParameter,
  type OpSchema,
  type SchemaAttributeType,
  schemaOf,
} from './ops/schema.js'
export * from './passes/index.js'
export type { Feeds, OutputProof, Proof } from './repair/proof.js'
export { explainRefusal, type Refusal } from './repair/refusal.js'
export { type Ask, type RepairOptions, repair } from './repair/repair.js'
export type { Assumption, RepairResult, RepairStep } from './repair/report.js'
export {
  type CompareTensorsOptions,
  compareTensors,
  differenceText,
  type ElementPair,
  HISTOGRAM_ENDS,
  isWithin,
  type TensorDifference,
  type Tolerance,
} from './run/compare-tensors.js'
export { type MeasureRangesOptions, measureRanges } from './run/measure-ranges.js'
export { openRunner, type Runner, type RunnerOptions, run } from './run/runner.js'
export { type SampleOptions, sampleFeeds } from './run/sample-feeds.js'
export { checkTypes } from './shapes/check-types.js'
export {
  type InferredTypes,
  type InferTypesOptions,
  inferTypes,
  type TypeContradiction,
} from './shapes/infer-types.js'
export type { Dim } from './value-type.js'
