import type { Engine } from '../api/engine.js'
import { TrtError } from '../errors.js'
import { differenceText, type Model, type SampleOptions } from '../onnx/index.js'
import { agreementText } from './agreement.js'
import { type CompareOptions, compare } from './compare.js'
import type { ValueReport } from './tolerance.js'

/** Options of {@link expectParity}. */
export interface ParityOptions extends SampleOptions, Pick<CompareOptions, 'tolerance' | 'names'> {}

/**
 * For tests, of any framework: fails where an engine does not say what its model says on onnxruntime, for random inputs.
 *
 * @param engine an engine, a model, or the path of either
 * @param model the reference
 * @throws {TrtError} `VERIFICATION_FAILED` with each output that differs, and where; what {@link compare} throws
 * @example
 * test('the engine is the model', () => trt.expectParity(engine, 'model.onnx', { seed: 1, tolerance: { rtol: 1e-2 } }))
 */
export async function expectParity(
  engine: Engine | Model | string | URL,
  model: CompareOptions['model'],
  { tolerance = {}, names = {}, ...inputs }: ParityOptions = {},
): Promise<void> {
  const { candidates, passed } = await compare({ model, candidates: { engine }, inputs, tolerance, names })
  if (passed) return
  const [{ outputs, missing }] = candidates as [(typeof candidates)[number]]
  const problems = [
    ...outputs
      .filter((output) => !output.passed)
      .map((output) => `output ${JSON.stringify(output.name)}: ${problemOf(output)}`),
    ...missing.map((name) => `output ${JSON.stringify(name)} is missing`),
  ]
  throw new TrtError('VERIFICATION_FAILED', `the engine does not say what the model says:\n${problems.join('\n')}`, {
    hint: 'tensorrt-node compare MODEL CANDIDATE --layers finds where it begins',
  })
}

function problemOf(report: ValueReport): string | undefined {
  return report.agreement === undefined ? differenceText(report) : agreementText(report.agreement)
}
