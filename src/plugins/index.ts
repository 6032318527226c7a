/**
 * TensorRT plugins: what is in a library, and what its plugins compute, without an engine. For engines with plugins see
 * `plugins` of `buildEngine` and `loadEngine`.
 *
 * @example
 * const { creators } = await trt.plugins.inspect('/opt/my_plugin.so')
 * const { ok, results } = await trt.plugins.test('spec.json', { library: '/opt/my_plugin.so' })
 *
 * @packageDocumentation
 */
import { builtinLibrary } from '../backends/tensorrt/plugin-library.js'
import { inspectPlugins } from './inspect.js'
import { runPlugin } from './run.js'
import { testPlugin } from './test-spec.js'

export type { BuiltinKind, PluginFamily } from '../backends/tensorrt/plugin-library.js'
export type { PluginLibraryInfo } from './inspect.js'
export type { PluginCreatorInfo, PluginFieldInfo } from './messages.js'
export type { FieldType, FieldValue, PluginFormat, PluginRunOptions, PluginRunResult, PluginTiming } from './options.js'
export type { PluginCase, PluginSpec, SpecType } from './spec.js'
export type { PluginCaseResult, PluginTestOptions, PluginTestResult } from './test-spec.js'

/** See the head of this file. */
export const plugins = {
  /**
   * The path of this package's own plugin library, compiled for TensorRT 10: for `trtexec --dynamicPlugins`, Polygraphy,
   * Triton. In `plugins` of `buildEngine` and `loadEngine` it stands, as `'builtin'` does, for the one that suits the
   * TensorRT at hand. Where it is not built, nothing is there, and whoever uses it is told the command.
   */
  builtin: builtinLibrary('trt10'),
  /** The same, compiled for another family; `'emulated'` runs on the CPU, for the bench alone. */
  builtinFor: builtinLibrary,
  inspect: inspectPlugins,
  run: runPlugin,
  test: testPlugin,
} as const
