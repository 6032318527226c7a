/**
 * Ifs inside of Ifs, of a model whose shapes are not fixed: TensorRT-RTX 1.7.1 ends them with an assertion
 * (`tScope.getType() != ScopeType::kUNDEFINED`, or one of Myelin's). A single If builds, and with fixed shapes nested ones.
 */
import { isDynamic } from '../../value-type.js'
import { fixInputs, fixShapes } from '../assuming.js'
import type { Fix, RecipeStep } from '../finding.js'
import type { LintFacts } from '../lint-facts.js'
import { proposeShapes } from '../propose-shapes.js'
import type { Rule } from '../rule.js'

const IF: ReadonlySet<string> = new Set(['If'])

/** See the head of this file. */
export const nestedControlFlow: Rule = {
  id: 'nested-control-flow',
  summary: 'an If inside of another one, where shapes are not fixed',
  check(facts, report) {
    if (!facts.model.graph.fedInputs.some(isDynamic)) return
    const nested = facts.nodes.filter(
      ({ opType, domain, graph }) => opType === 'If' && domain === '' && facts.isInside(graph, IF),
    )
    if (nested.length === 0) return
    const fixes = fixesFor(facts)
    for (const node of nested) {
      const owner = node.graph.owner
      report(
        node,
        `it is inside of ${owner ?? 'another If'}, and shapes are not fixed: TensorRT ends that with an assertion`,
        {
          values: node.outputs.filter((value) => value !== undefined),
          fixes,
          advice: 'say which branch is taken: surgeon --pass remove-if:conditions=…',
        },
      )
    }
  },
}

/** What assumes nothing first; then the inputs that conditions compare with constants; then the shapes. */
function fixesFor({ model, values, shapes }: LintFacts): Fix[] {
  const remove: RecipeStep[] = [{ pass: 'remove-if' }, { pass: 'simplify' }]
  const inputs = model.graph.fedInputs
  const [inputSteps, shapeSteps] = [fixInputs(inputs, values), fixShapes(proposeShapes(inputs, shapes), values)]
  const fixes: Fix[] = [{ passes: remove }]
  if (inputSteps.length > 0) fixes.push({ passes: [...inputSteps, ...remove] })
  if (shapeSteps.length > 0) fixes.push({ passes: [...inputSteps, ...shapeSteps, ...remove] })
  return fixes
}
