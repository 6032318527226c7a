import type { TensorLike } from '../../../tensor.js'
import type { ModelTensor, RawTensor } from '../../model/tensor.js'
import { ModelTensor as Tensor } from '../../model/tensor.js'
import type { Value } from '../../model/value.js'

/**
 * Makes a value constant, in place of the node that gives it: an initializer, or a node of op Constant where a graph gives
 * it out, since not every runtime takes an initializer for an output.
 */
export function makeConstant(value: Value, content: TensorLike | RawTensor | ModelTensor): void {
  if (!value.isOutput) {
    value.graph.setInitializer(value, content)
    return
  }
  const tensor = content instanceof Tensor ? content : Tensor.from(content)
  value.graph.addNode({ opType: 'Constant', outputs: [value], attributes: { value: ['tensor', tensor] } })
}
