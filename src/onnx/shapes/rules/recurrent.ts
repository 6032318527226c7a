import type { OpContext, Rule } from '../op-context.js'

/** RNN, GRU and LSTM: with `layout` 0 time comes first, with 1 the batch. */
function giveStates(op: OpContext): void {
  const [a = null, b = null] = op.dimsOfRank(0, 3)
  const hidden = op.int('hidden_size') ?? op.dims(2)?.[2] ?? null
  const directions = op.text('direction', 'forward') === 'bidirectional' ? 2 : 1
  const isBatchFirst = op.int('layout', 0) === 1
  const [time, batch] = isBatchFirst ? [b, a] : [a, b]
  op.give(0, isBatchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden])
  for (const index of [1, 2]) op.give(index, isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden])
}

export const RECURRENT: Readonly<Record<string, Rule>> = { RNN: giveStates, GRU: giveStates, LSTM: giveStates }
