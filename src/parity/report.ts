/** A comparison as one HTML page. Its charts are SVG: they print, need no script, and every point tells its figures. */
import { HISTOGRAM_ENDS } from '../onnx/index.js'
import { type Html, html, page, table } from '../report/page.js'
import { agreementText } from './agreement.js'
import type { CandidateReport, Comparison } from './compare.js'
import type { Divergence } from './divergence.js'
import type { ValueReport } from './tolerance.js'

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [960, 260, 48, 24]
/** Errors of this size and below are drawn as if they were 0. */
const [LOWEST, HIGHEST] = [-10, 4]

/** How many of the worst layers the table has. */
const SHOWN = 50

/**
 * The page of a comparison.
 *
 * @param reference the reference's name
 */
export function comparisonPage(comparison: Comparison, reference: string): string {
  const { candidates, shapes, passed } = comparison
  const inputs = Object.entries(shapes).map(([name, dims]) => `${name} [${dims.join(', ')}]`)
  return page(`Parity with ${reference}`, [
    html`<p>${verdict(passed)} <span class="dim">inputs: ${inputs.join(', ')}</span></p>\n`,
    candidates.map((candidate) => candidateSection(candidate)),
  ])
}

function candidateSection(candidate: CandidateReport): Html {
  const { name, outputs, layers, missing, firstDivergence, passed } = candidate
  const values = [...layers, ...outputs]
  return html`<section>
<h2>${verdict(passed)} <code>${name}</code></h2>
${missing.length === 0 ? '' : html`<p class="bad">missing outputs: ${missing.join(', ')}</p>`}
${valueTable('Outputs', outputs)}
${firstDivergence === undefined ? '' : divergenceSection(firstDivergence)}
${layers.length === 0 ? '' : html`<h3>Error by layer, in the order of the graph</h3>${errorChart(values)}`}
${layers.length === 0 ? '' : valueTable(`Layers, the ${SHOWN} worst`, worst(layers))}
<h3>Size of the errors of the outputs</h3>
${outputs.map((output) => histogram(output))}
</section>
`
}

function verdict(passed: boolean): Html {
  return passed ? html`<span class="good">✔ passes</span>` : html`<span class="bad">✗ differs</span>`
}

function valueTable(title: string, values: readonly ValueReport[]): Html {
  const header = [
    '',
    'value',
    'max abs',
    'mean abs',
    'max rel',
    'ulp',
    'cosine',
    'SNR dB',
    'outside',
    'range',
    'worst: expected → actual',
  ]
  const rows = values.map((value) => {
    const sign = value.passed ? html`<span class="good">✔</span>` : html`<span class="bad">✗</span>`
    const agreed = value.agreement === undefined ? '' : html`<div>${agreementText(value.agreement)}</div>`
    const name = html`<code>${value.name}</code>${agreed}`
    if (value.mismatch !== undefined) return [sign, name, value.mismatch]
    const { maxAbs, meanAbs, maxRel, maxUlp, cosine, snr, outside, size, range, worst } = value
    return [
      sign,
      name,
      ...[maxAbs, meanAbs, maxRel].map(number),
      maxUlp === undefined ? '' : number(maxUlp),
      cosine.toFixed(6),
      Number.isFinite(snr) ? snr.toFixed(1) : '∞',
      `${outside}/${size}`,
      `${number(range[0])} to ${number(range[1])}`,
      worst === undefined ? '' : `[${worst.index.join(',')}]: ${number(worst.expected)} → ${number(worst.actual)}`,
    ]
  })
  return html`<h3>${title}</h3>\n${table(header, rows)}`
}

function divergenceSection({ node, opType, value, attributes, inputs, suspects, advice }: Divergence): Html {
  const given = Object.entries(attributes).map(([name, text]) => html`<div class="dim">${name}: ${text}</div>`)
  const sources = inputs.map(
    ({ name, range }) =>
      html`<div class="box"><code>${name}</code><div class="dim">${range === undefined ? 'not compared' : `${number(range[0])} to ${number(range[1])}`}</div></div>`,
  )
  const others = suspects.filter((name) => name !== node)
  return html`<h3 class="bad">First divergence</h3>
<div class="flow">
<div>${sources}</div><div>→</div>
<div class="box here"><b>${opType}</b> <code>${node}</code>${given}</div><div>→</div>
<div class="box"><code>${value}</code></div>
</div>
${others.length === 0 ? '' : html`<p>or one of: ${others.join(', ')}</p>`}
<ul>${advice.map((text) => html`<li>${text}</li>`)}</ul>
`
}

function errorChart(values: readonly ValueReport[]): Html {
  const x = (index: number): number => LEFT + ((index + 0.5) / values.length) * (WIDTH - LEFT)
  const lines = range(LOWEST, HIGHEST, 2).map(
    (power) =>
      html`<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${yOf(10 ** power)}" y2="${yOf(10 ** power)}"/><text x="4" y="${yOf(10 ** power) + 4}">1e${power}</text>\n`,
  )
  const points = values.map(({ name, maxAbs, maxRel, passed }, index) => {
    const text = `${name}: max abs ${number(maxAbs)}, max rel ${number(maxRel)}`
    return html`<circle class="${passed ? 'good' : 'bad'}" cx="${x(index).toFixed(1)}" cy="${yOf(maxAbs).toFixed(1)}" r="3"><title>${text}</title></circle>\n`
  })
  return html`<figure>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Largest absolute error of each layer">
${lines}${points}<text x="${LEFT}" y="${HEIGHT - 4}">first</text><text x="${WIDTH - 4}" y="${HEIGHT - 4}" text-anchor="end">outputs</text>
</svg>
<figcaption>Largest absolute error of each value, on a logarithmic scale; 0 lies on the lowest line. Red: outside the tolerance.</figcaption>
</figure>
`
}

/** From the top of the chart, in its units. */
function yOf(error: number): number {
  const power = error === 0 ? LOWEST : Math.min(HIGHEST, Math.max(LOWEST, Math.log10(error)))
  return 10 + ((HIGHEST - power) / (HIGHEST - LOWEST)) * (HEIGHT - BOTTOM - 20)
}

function histogram({ name, histogram: counts, size }: ValueReport): Html {
  const height = 120
  const step = WIDTH / counts.length
  const bars = counts.map((count, bin) => {
    const length = count === 0 ? 0 : Math.max(2, (count / size) * (height - 20))
    const end = HISTOGRAM_ENDS[bin] as number
    const label = bin === 0 ? '0' : end === Infinity ? '≥ 1e3' : `< 1e${Math.round(Math.log10(end))}`
    const text = `${count} of ${size} elements: error ${label}`
    return html`<rect class="bar" x="${(bin * step + 4).toFixed(1)}" width="${(step - 8).toFixed(1)}" y="${(height - length).toFixed(1)}" height="${length.toFixed(1)}"><title>${text}</title></rect><text x="${(bin * step + 8).toFixed(1)}" y="${height + 14}">${label}</text>\n`
  })
  return html`<figure>
<svg viewBox="0 0 ${WIDTH} ${height + 20}" role="img" aria-label="Sizes of the errors of ${name}">
${bars}</svg>
<figcaption><code>${name}</code>: how many elements have an absolute error of which size</figcaption>
</figure>
`
}

function worst(layers: readonly ValueReport[]): ValueReport[] {
  return [...layers].sort((a, b) => b.outside / b.size - a.outside / a.size || b.maxRel - a.maxRel).slice(0, SHOWN)
}

function number(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value)
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value).replace('Infinity', '∞')
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)
}
