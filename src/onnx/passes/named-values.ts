import { TrtError } from '../../errors.js'
import type { Model } from '../model/model.js'
import type { Value } from '../model/value.js'

/**
 * Values of the main graph by their names.
 *
 * @param what how messages name the option that the names come from
 * @throws {TrtError} `INVALID_ARGUMENT` for a name that is no value's, saying so where it is one's of a graph inside
 */
export function namedValues(model: Model, names: readonly string[], what: string): Value[] {
  return names.map((name) => {
    const value = model.graph.value(name)
    if (value !== undefined) return value
    for (const graph of model.graphs()) {
      if (graph.value(name) === undefined) continue
      const place = graph.owner === undefined ? 'a function' : `a graph inside ${graph.owner}`
      throw new TrtError('INVALID_ARGUMENT', `${what}: "${name}" is a value of ${place}, not of the main graph`, {
        hint: 'remove-if takes the branches of If into the main graph; the bodies of Loop and Scan stay closed.',
      })
    }
    throw new TrtError('INVALID_ARGUMENT', `${what}: the model has no value ${JSON.stringify(name)}`, {
      hint: 'tensorrt-node surgeon show MODEL lists the nodes and what they give',
    })
  })
}
