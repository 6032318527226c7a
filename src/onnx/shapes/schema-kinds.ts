import type { FormalParameter, OpSchema } from '../ops/schema.js'
import type { OpContext } from './op-context.js'
import { kindName, kindNamed, tensor, UNKNOWN, type ValueKind, withoutShape } from './value-kinds.js'

/**
 * The types of the outputs as far as the schema says them: parameters that share a letter share a type. Shapes are left
 * to the rules.
 */
export function kindsFromSchema(op: OpContext): void {
  const { schema, node } = op
  if (schema === undefined) return
  const letters = new Map<string, { kind: ValueKind; from: string }>()
  for (const [index, value] of node.inputs.entries()) {
    const formal = parameterAt(schema.inputs, index)
    if (formal === undefined)
      op.fail(`it has ${node.inputs.length} inputs, ${schema.opType} takes ${schema.inputs.length}`)
    if (value === undefined || !formal.homogeneous) continue
    const kind = withoutShape(op.kind(index))
    const name = kindName(kind)
    if (name === 'undefined' || !schema.typeConstraints.has(formal.type)) continue
    const known = letters.get(formal.type)
    if (known === undefined) letters.set(formal.type, { kind, from: value.name })
    else if (kindName(known.kind) !== name) {
      op.fail(
        `${formal.type} is ${kindName(known.kind)} by input "${known.from}", and ${name} by input "${value.name}"`,
      )
    }
  }
  for (const index of node.outputs.keys()) {
    const formal = parameterAt(schema.outputs, index)
    if (formal === undefined)
      op.fail(`it has ${node.outputs.length} outputs, ${schema.opType} gives ${schema.outputs.length}`)
    if (formal.homogeneous) op.giveKind(index, letters.get(formal.type)?.kind ?? onlyKind(schema, formal))
  }
}

/** The parameter of an input or output: the last one stands for all that follow where it is variadic. */
export function parameterAt(parameters: readonly FormalParameter[], index: number): FormalParameter | undefined {
  const last = parameters.at(-1)
  return parameters[index] ?? (last?.option === 'variadic' ? last : undefined)
}

/** What a parameter is of by itself: its type is given, or its letter stands for a single one. */
function onlyKind(schema: OpSchema, { type }: FormalParameter): ValueKind {
  const types = schema.typeConstraints.get(type)
  if (types === undefined) return kindNamed(type) ?? UNKNOWN
  const [only] = types
  return (types.size === 1 && only !== undefined ? kindNamed(only) : undefined) ?? tensor('undefined')
}
