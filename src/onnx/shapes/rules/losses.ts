/** Losses, and the steps of optimizers. */
import type { OpContext, Rule } from '../op-context.js'

/** One loss for each label, or one for all. */
function giveLoss(op: OpContext): void {
  op.give(0, op.text('reduction', 'mean') === 'none' ? op.dims(1) : [])
}

/** Behind rate and step come, in groups, the values of each tensor, its gradient, and `states` of the optimizer. */
function optimizer(states: number): Rule {
  return (op) => {
    const count = Math.floor((op.inputCount - 2) / (2 + states))
    for (let index = 0; index < count; index++) {
      op.giveKind(index, op.kind(2 + index))
      for (let state = 1; state <= states; state++) {
        op.giveKind(state * count + index, op.kind(2 + (1 + state) * count + index))
      }
    }
  }
}

export const LOSSES: Readonly<Record<string, Rule>> = {
  NegativeLogLikelihoodLoss: giveLoss,
  SoftmaxCrossEntropyLoss: (op) => {
    giveLoss(op)
    op.give(1, op.dims(0))
  },
}

export const TRAINING: Readonly<Record<string, Rule>> = {
  Adagrad: optimizer(1),
  Adam: optimizer(2),
  Momentum: optimizer(1),
}
