/**
 * What the CPU backend makes of the build options. There are three kinds, and no option is dropped in silence:
 *
 * - honoured: `stronglyTyped` (onnxruntime takes every type from the model), `versionCompatible` and
 *   `hardwareCompatibility` (the engine file holds the model itself), `int8` and `fp8` (the model is quantised, and
 *   onnxruntime runs it so), and everything that is switched off;
 * - computed otherwise, which is a warning: `fp16` and `bf16` allow lower precision, and fp32 is what computes;
 * - what only TensorRT has: refused where this backend was asked for by name. Where the package chose it, those that
 *   merely make a TensorRT engine faster or smaller become warnings, so that one line of code runs on a laptop and on a
 *   server; `refittable`, `stripPlan` and `plugins`, which change what the engine is for, are refused even then.
 */
import { TrtError } from '../../errors.js'
import type { BuildSettings } from '../backend.js'

/** Options that tune TensorRT, each with what the CPU backend has instead. */
const TUNING: { readonly [Option in keyof BuildSettings]?: string } = {
  tf32: 'fp32 is computed in full precision',
  workspace: 'onnxruntime takes the memory that it needs',
  memoryPools: 'onnxruntime takes the memory that it needs',
  optimizationLevel: 'onnxruntime does not search for kernels',
  timingCache: 'onnxruntime does not time kernels',
  sparsity: 'onnxruntime has no sparse kernels',
  weightStreaming: 'the weights are in host memory anyway',
  profilingVerbosity: 'the engine file holds the whole model',
  maxAuxStreams: 'there are no CUDA streams',
  tacticSources: 'there are no TensorRT tactics',
  computeCapabilities: 'it runs on no GPU',
}

/** Options that change what an engine can be used for. */
const ESSENTIAL: { readonly [Option in keyof BuildSettings]?: string } = {
  refittable: 'weights cannot be replaced',
  plugins: 'onnxruntime cannot run what is compiled for TensorRT',
  stripPlan: 'an engine file always holds its weights',
}

/**
 * Judges `settings`.
 * @param lenient see `BuildControl.lenient`
 * @returns the warnings that the build has to give
 * @throws {TrtError} `UNSUPPORTED`
 */
export function judgeSettings(settings: BuildSettings, lenient: boolean): string[] {
  const warnings = (['fp16', 'bf16'] as const)
    .filter((type) => settings[type])
    .map((type) => `${type}: true has no effect on the CPU backend, which computes in fp32`)
  for (const [option, value] of Object.entries(settings)) {
    const essential = ESSENTIAL[option as keyof BuildSettings]
    const why = essential ?? TUNING[option as keyof BuildSettings]
    if (why === undefined || value === undefined || value === false) continue
    if (essential !== undefined || !lenient) {
      throw new TrtError('UNSUPPORTED', `The CPU backend (onnxruntime) does not have the option ${option}: ${why}`, {
        hint: lenient
          ? `Leave ${option} out, or build where TensorRT can run.`
          : `Leave ${option} out, or leave the choice to the package: backend: 'auto'.`,
      })
    }
    warnings.push(`${option} has no effect on the CPU backend: ${why}`)
  }
  return warnings
}
