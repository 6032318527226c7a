import { type PassReport, quantize, transform } from '../onnx/index.js'
import { readSource } from '../onnx/model/read.js'
import { takeInside } from '../onnx/model/take-inside.js'
import { carriedType, convertPrecision } from '../onnx/passes/convert-precision.js'
import { quantizationNodes } from '../onnx/passes/quantization/check.js'
import type { ModelSource } from './backend.js'
import type { Preparation, PreparedModel } from './prepare-model.js'

/** {@link prepareModel}, where there is something to do. */
export async function quantizeAndConvert(
  source: ModelSource,
  { quantize: quantization, convertTo }: Preparation,
  signal: AbortSignal,
): Promise<PreparedModel> {
  const model = readSource(source)
  const reports: [type: string, report: PassReport][] = []
  const warnings: string[] = []
  if (quantization !== undefined) {
    const carried = quantizationNodes(model).length > 0
    const [report] = (await transform(model, [quantize(quantization)], { signal })) as [PassReport]
    if (carried) warnings.push(...report.notes.map((note) => `${quantization.to}: ${note}`))
    else reports.push([quantization.to, report])
  }
  if (convertTo !== undefined) {
    const carried = carriedType(model)
    if (carried === undefined) {
      const [report] = (await transform(model, [convertPrecision({ to: convertTo })], { signal })) as [PassReport]
      reports.push([convertTo, report])
    } else if (carried !== convertTo) {
      warnings.push(`${convertTo}: the model is built as it is, as it carries ${carried} already`)
    }
  }
  if (reports.length === 0) return { model: source, warnings, notes: [] }
  takeInside(model)
  return {
    model: { bytes: model.toBytes() },
    warnings: [...warnings, ...reports.map(summary)],
    notes: reports.flatMap(([, { notes }]) => notes),
  }
}

function summary([to, { figures }]: readonly [string, PassReport]): string {
  const counts = Object.entries(figures).filter(([, count]) => count > 0)
  return `the model was converted to ${to}: ${counts.map(([name, count]) => `${count} ${name}`).join('; ')}`
}
