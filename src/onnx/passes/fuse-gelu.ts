import { findMatches } from './matching/match.js'
import { parsePattern } from './matching/pattern.js'
import { replaceMatch } from './matching/replace.js'
import { definePass } from './pass.js'
import { upgradeTo } from './upgrade-opset.js'

/** The version of ONNX's operator set that brought Gelu. */
const OPSET = 20

/** x · e / 2, in every order that exporters write. */
const PRODUCTS = ['Mul(Mul(x, e), 0.5)', 'Mul(x, Mul(e, 0.5))', 'Mul(Mul(x, 0.5), e)']
const CUBES = ['Pow(x, 3)', 'Mul(x, Mul(x, x))']

/** 1.41421356 = √2, 0.797884561 = √(2/π); the constants of onnx/defs/math/defs.cc, Gelu, and of Hendrycks and Gimpel 2016. */
const FORMS: readonly { readonly approximate: 'none' | 'tanh'; readonly inner: string }[] = [
  { approximate: 'none', inner: 'Erf(Div(x, 1.41421356))' },
  { approximate: 'none', inner: 'Erf(Mul(x, 0.707106781))' },
  ...CUBES.map((cube) => ({
    approximate: 'tanh' as const,
    inner: `Tanh(Mul(Add|Sum(x, Mul(${cube}, 0.044715)), 0.797884561))`,
  })),
  { approximate: 'tanh', inner: 'Tanh(Mul(Mul(x, 0.797884561), Add(Mul(Mul(x, x), 0.044715), 1)))' },
  { approximate: 'tanh', inner: 'Tanh(Mul(Mul(x, 0.797884561), Add(Mul(x, Mul(x, 0.044715)), 1)))' },
]

/** Texts, which are parsed when the pass runs: done at import, it would make every start of a process longer. */
const PATTERNS = FORMS.flatMap(({ approximate, inner }) =>
  PRODUCTS.map((product) => ({
    pattern: `e = Add|Sum(${inner}, 1) y = ${product}`,
    replacement: `y = Gelu(x) {approximate: "${approximate}"}`,
  })),
)

/**
 * Puts Gelu in the place of the nodes that exporters make of it: with Erf, or with Tanh, which is Gelu's approximation.
 * TensorRT knows both forms as one layer.
 *
 * The model is carried over to version 20 of ONNX's operator set, where Gelu is from, if it is older and has such nodes.
 * Outputs change by rounding only.
 *
 * @example onnx.fuseGelu()
 */
export const fuseGelu = definePass<Record<never, never>>({
  name: 'fuse-gelu',
  summary: 'Puts Gelu in the place of the nodes that exporters make of it',
  keepsMeaning: true,
  options: {},
  defaults: {},
  apply(model, _, context) {
    for (const { pattern, replacement } of PATTERNS) {
      for (const match of findMatches(model, parsePattern(pattern))) {
        upgradeTo(model, OPSET, context)
        const where = String(match.root)
        const [gelu] = replaceMatch(match, parsePattern(replacement))
        const approximate = gelu?.get('approximate', 'string')
        context.change(where, `${match.nodes.size} nodes replaced by Gelu {approximate: ${approximate}}`)
      }
    }
  },
})
