/** Texts. */
import type { Rule } from '../op-context.js'

export const TEXT: Readonly<Record<string, Rule>> = {
  // How many words are left depends on the words.
  StringNormalizer: (op) => op.give(0, op.dims(0)?.with(-1, null)),
  StringSplit: (op) => {
    const dims = op.dims(0)
    op.give(0, dims && [...dims, null])
    op.give(1, dims)
  },
  RegexFullMatch: (op) => op.give(0, op.dims(0)),
  TfIdfVectorizer: (op) => {
    const indexes = op.ints('ngram_indexes')
    const length = indexes === undefined ? null : Math.max(...indexes) + 1
    op.give(0, op.dims(0)?.with(-1, length))
  },
}
