import { blob } from '../io/packed.js'
import type { GraphProto } from '../io/proto.js'
import { textOf } from '../io/text.js'

/** Quantisation annotations name the tensors that they are about, and those that hold scale and zero point. */
export function renameAnnotations({ quantizationAnnotation }: GraphProto, old: string, name: string): void {
  for (const annotation of quantizationAnnotation) {
    if (annotation.tensorName === old) Object.assign(annotation, { tensorName: name, $touched: true })
    for (const entry of annotation.quantParameterTensorNames) {
      if (entry.value === undefined || textOf(entry.value) !== old) continue
      Object.assign(entry, { value: blob(name), $touched: true })
    }
  }
}
