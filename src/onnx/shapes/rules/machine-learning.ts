/** The domain `ai.onnx.ml`. */
import { add, multiply } from '../dim-algebra.js'
import type { OpContext, Rule } from '../op-context.js'
import { tensor } from '../value-kinds.js'

const sameShape: Rule = (op) => op.give(0, op.dims(0))

/** A label for each row, and a score for each label. */
function classifier(labels: string): Rule {
  return (op) => {
    const isInt = op.ints(labels)?.length
    const count = isInt ?? op.value('classlabels_strings', 'strings')?.length ?? 0
    const dims = op.dims(0)
    const rows = dims?.length === 1 ? 1 : (dims?.[0] ?? null)
    op.give(0, [rows], isInt === undefined ? 'string' : 'int64')
    // One label stands for two classes in some exporters' models, in others for one.
    op.give(1, [rows, count > 1 ? count : null])
  }
}

function regressor(targets: string): Rule {
  return (op) => op.give(0, [op.dims(0)?.length === 1 ? 1 : (op.dims(0)?.[0] ?? null), op.int(targets, 1)])
}

function giveEncoded(op: OpContext): void {
  const { type } = op.value('values_tensor', 'tensor') ?? {}
  const isTo = (name: string) => op.attribute(name) !== undefined
  const plain = isTo('values_strings') ? 'string' : isTo('values_floats') ? 'float32' : 'int64'
  // Before version 2 it goes from texts to numbers, or the other way round.
  const old = op.elem(0) === 'string' ? 'int64' : 'string'
  op.give(0, op.dims(0), type ?? (isTo('classes_strings') ? old : plain))
}

export const MACHINE_LEARNING: Readonly<Record<string, Rule>> = {
  Binarizer: sameShape,
  Imputer: sameShape,
  Normalizer: sameShape,
  Scaler: sameShape,
  CategoryMapper: (op) => op.give(0, op.dims(0), op.elem(0) === 'string' ? 'int64' : 'string'),
  LabelEncoder: giveEncoded,
  ArrayFeatureExtractor: (op) => {
    const [dims, count] = [op.dims(0), op.dims(1)]
    if (dims === undefined || count === undefined) return
    op.give(0, dims.length === 1 ? [1, multiply(...count)] : dims.with(-1, multiply(...count)))
  },
  FeatureVectorizer: (op) => {
    const shapes = op.node.inputs.map((_, index) => op.dims(index))
    op.give(0, [
      shapes[0]?.length === 2 ? (shapes[0][0] ?? null) : null,
      add(...shapes.map((dims) => dims?.at(-1) ?? null)),
    ])
  },
  OneHotEncoder: (op) => {
    const count = op.ints('cats_int64s')?.length ?? op.value('cats_strings', 'strings')?.length
    const dims = op.dims(0)
    op.give(0, dims && [...dims, count ?? null])
  },
  LinearClassifier: classifier('classlabels_ints'),
  SVMClassifier: (op) => {
    classifier('classlabels_ints')(op)
    op.give(1, [op.dims(0)?.[0] ?? null, null])
  },
  TreeEnsembleClassifier: classifier('classlabels_int64s'),
  LinearRegressor: regressor('targets'),
  SVMRegressor: (op) => op.give(0, [op.dims(0)?.[0] ?? null, 1]),
  TreeEnsembleRegressor: regressor('n_targets'),
  TreeEnsemble: regressor('n_targets'),
  CastMap: (op) => op.giveKind(0, tensor(CAST_MAP[op.text('cast_to')] ?? 'float32', [1, null])),
}

const CAST_MAP: Readonly<Record<string, 'float32' | 'int64' | 'string'>> = {
  TO_FLOAT: 'float32',
  TO_INT64: 'int64',
  TO_STRING: 'string',
}
