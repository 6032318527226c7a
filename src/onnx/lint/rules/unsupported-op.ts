import type { Node } from '../../model/node.js'
import type { Fix } from '../finding.js'
import type { LintFacts } from '../lint-facts.js'
import type { Rule } from '../rule.js'
import { IMPORTED_OPS, MICROSOFT_OPS, NOT_IN_RTX } from '../tensorrt-ops.js'

/** Ops that the parser does not know, that no function of the model explains, and no plugin brings. */
export const unsupportedOp: Rule = {
  id: 'unsupported-op',
  summary: 'an op that TensorRT has no layer for, and no plugin brings',
  check(facts, report) {
    for (const node of facts.nodes) {
      if (facts.hasFunction(node) || facts.pluginOps.has(node.opType)) continue
      const isKnown = (node.domain === 'com.microsoft' ? MICROSOFT_OPS : IMPORTED_OPS).has(node.opType)
      if (isKnown && !(facts.target === 'tensorrt-rtx' && NOT_IN_RTX.has(node.opType))) continue
      report(node, `${isKnown ? 'TensorRT-RTX' : 'TensorRT'} has no layer for ${opName(node)}`, {
        values: node.outputs.filter((value) => value !== undefined),
        fixes: fixesFor(node),
        advice: adviceFor(node, facts, isKnown),
      })
    }
  },
}

const DYNAMIC: readonly Fix[] = [{ passes: [{ pass: 'lower-dynamic-quantization' }] }]
/** What goes to the next step of a scale by rounding moves outputs by more than rounding does. */
const QUANTIZED: readonly Fix[] = [
  { passes: [{ pass: 'expand-quantized-ops' }, { pass: 'lower-asymmetric-quantization' }], tolerance: 0.03 },
]
const FUSED: readonly Fix[] = [{ passes: [{ pass: 'expand-fused-ops' }] }]

const FUSED_DYNAMIC: readonly Fix[] = [
  { passes: [{ pass: 'expand-fused-ops' }, { pass: 'lower-dynamic-quantization' }] },
]

/** Ops that passes write in terms of others. */
const LOWERED: Readonly<Record<string, readonly Fix[]>> = {
  ConvInteger: DYNAMIC,
  DynamicQuantizeLinear: DYNAMIC,
  DynamicQuantizeMatMul: FUSED_DYNAMIC,
  DynamicQuantizeLSTM: [{ passes: [{ pass: 'dequantize-lstm' }], tolerance: 0.03 }],
  MatMulInteger: DYNAMIC,
  MatMulIntegerToFloat: FUSED_DYNAMIC,
  QGemm: QUANTIZED,
}

function fixesFor({ domain, opType }: Node): readonly Fix[] {
  return LOWERED[opType] ?? (opType.startsWith('QLinear') ? QUANTIZED : domain === 'com.microsoft' ? FUSED : [])
}

function opName({ domain, opType }: Node): string {
  return domain === '' ? opType : `${domain}:${opType}`
}

function adviceFor({ domain }: Node, { target }: LintFacts, isKnown: boolean): string {
  if (isKnown) return 'build for TensorRT, which has a plugin of its own for it, or leave the node to the caller'
  if (domain === 'ai.onnx.ml') return 'compute it outside of the model: cut it off with surgeon --pass extract'
  return target === 'tensorrt'
    ? 'give a plugin library that has it (plugins), or replace it with other ops (surgeon --pass replace-subgraph)'
    : 'replace it with other ops (surgeon --pass replace-subgraph), or build for TensorRT with a plugin'
}
