/**
 * NVIDIA TensorRT for Node.js.
 *
 * @packageDocumentation
 */
export { Binding } from './api/binding.js'
export { BuildResult, buildEngine } from './api/build-engine.js'
export {
  type DeviceFeeds,
  type DeviceResults,
  Engine,
  type Feeds,
  type InputShapes,
  infer,
  type Results,
} from './api/engine.js'
export type { EngineStats, LatencyStage } from './api/engine-stats.js'
export { loadEngine } from './api/load-engine.js'
export type { PlanManifest } from './api/manifest.js'
export { type ModelRepair, type RepairModelOptions, repair } from './api/repair.js'
export type { EngineMemory, GraphStats, LayerInfo, LayerProfile, Profile, TensorInfo } from './backends/backend.js'
export { DeviceTensor } from './device-tensor.js'
export { TrtError, type TrtErrorCode, type TrtErrorOptions } from './errors.js'
export * as onnx from './onnx/index.js'
export type {
  BackendName,
  BuildOptions,
  BuildProgress,
  ByteSize,
  Calibration,
  ComputeCapability,
  CudaGraphOptions,
  InferOptions,
  LoadOptions,
  Logger,
  LogLevel,
  MemoryPools,
  QuantizationOptions,
  QueueOptions,
  ShapeRange,
  Shapes,
  TacticSource,
} from './options.js'
export type { Agreement, DetectionTolerance, IndexTolerance } from './parity/agreement.js'
export { type Bisection, type BisectOptions, bisect } from './parity/bisect.js'
export {
  type Candidate,
  type CandidateReport,
  type CompareOptions,
  type Comparison,
  compare,
} from './parity/compare.js'
export type { Divergence, DivergenceCause, DivergenceInput } from './parity/divergence.js'
export { expectParity, type ParityOptions } from './parity/expect-parity.js'
export type { ParityTolerance, ValueReport, ValueTolerance } from './parity/tolerance.js'
export {
  type BuiltinKind,
  type FieldType,
  type FieldValue,
  type PluginCase,
  type PluginCaseResult,
  type PluginCreatorInfo,
  type PluginFamily,
  type PluginFieldInfo,
  type PluginFormat,
  type PluginLibraryInfo,
  type PluginRunOptions,
  type PluginRunResult,
  type PluginSpec,
  type PluginTestOptions,
  type PluginTestResult,
  type PluginTiming,
  plugins,
  type SpecType,
} from './plugins/index.js'
export { Batcher, type BatchOptions, batch } from './service/batch.js'
export type { Batchable } from './service/batch-layout.js'
export {
  type Benchable,
  type BenchOptions,
  type BenchReport,
  type BenchStage,
  bench,
  type Distribution,
} from './service/bench.js'
export { type CachedEngineOptions, type CachedPlan, cachedEngine, cachedPlan } from './service/cached-engine.js'
export type { Manifest } from './service/manifest.js'
export type { ModelHash } from './service/model-hash.js'
export { type SpanLike, type TracerLike, traceTo } from './service/spans.js'

export { type DataOf, type DataType, Tensor, type TensorData, type TensorLike } from './tensor.js'
export type { BuildTrace, InferTrace, LoadTrace } from './tracing.js'
