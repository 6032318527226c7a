/** Benchmarks as one HTML page: the figures, how latencies are distributed, and how they went over time, as SVG. */
import { type Html, html, page, table } from '../report/page.js'
import type { BenchReport, Distribution } from './bench.js'

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [960, 280, 64, 10, 32]
/** Points of one engine in a chart; more than these cannot be told apart. */
const MOST_POINTS = 1500
/** Told apart on light and dark ground, and by who sees no red or green. */
const COLORS = ['#3b7dd8', '#e08a1e', '#8a63d2', '#2a9d8f', '#c2497d', '#7a7f87']

/** @param about what was measured and how, a line each */
export function benchPage(reports: readonly BenchReport[], about: readonly string[]): string {
  return page('Benchmark', [
    html`<p class="dim">${about.map((line) => html`${line}<br>`)}</p>\n`,
    html`<h2>Throughput</h2>\n${throughputTable(reports)}`,
    html`<h2>Latency, in milliseconds</h2>\n${latencyTable(reports)}`,
    reports.flatMap(({ name, warnings }) => warnings.map((text) => html`<p class="box">⚠ ${name}: ${text}</p>\n`)),
    html`<h2>How many are slower than that</h2>\n${legend(reports)}${percentileChart(reports)}`,
    html`<h2>Over time</h2>\n${legend(reports)}${timeChart(reports)}`,
  ])
}

function throughputTable(reports: readonly BenchReport[]): Html {
  const compared = reports.length > 1
  const header = [
    '',
    'inferences/s',
    'samples/s',
    'inferences',
    ...(compared ? ['throughput to the first', 'median to the first', 'p99 to the first'] : []),
  ]
  const rows = reports.map(({ name, throughput, samplesPerSecond, inferences, ratio }) => [
    html`<code>${name}</code>`,
    throughput.toFixed(1),
    samplesPerSecond.toFixed(1),
    inferences,
    ...(compared ? [ratio?.throughput, ratio?.median, ratio?.p99].map((value) => (value ?? 1).toFixed(2)) : []),
  ])
  return table(header, rows)
}

function latencyTable(reports: readonly BenchReport[]): Html {
  const row = (name: Html, { min, mean, median, p90, p95, p99, max, variation }: Distribution) => [
    name,
    ...[min, mean, median, p90, p95, p99, max].map((ms) => ms.toFixed(3)),
    `${(100 * variation).toFixed(1)} %`,
  ]
  const rows = reports.flatMap(({ name, latency, stages }) => [
    row(html`<code>${name}</code>`, latency),
    ...Object.entries(stages ?? {}).map(([stage, times]) =>
      row(html`<code>${name}</code> ${STAGES[stage] ?? stage}`, times),
    ),
  ])
  return table(['', 'min', 'mean', 'median', 'p90', 'p95', 'p99', 'max', 'variation'], rows)
}

const STAGES: Readonly<Record<string, string>> = {
  hostToDevice: 'H2D',
  compute: 'compute',
  deviceToHost: 'D2H',
  enqueue: 'enqueue',
}

function legend(reports: readonly BenchReport[]): Html {
  return html`<p>${reports.map(
    ({ name }, index) =>
      html`<svg viewBox="0 0 12 12" style="width: .8em; height: .8em"><circle cx="6" cy="6" r="6" style="fill: ${color(index)}"/></svg> <code>${name}</code>&nbsp; `,
  )}</p>\n`
}

/** Latency by the share of inferences that took longer, on a logarithmic scale: the tail is what is looked for. */
function percentileChart(reports: readonly BenchReport[]): Html {
  const longest = Math.max(...reports.map(({ latencies }) => latencies.length))
  const decades = Math.max(1, Math.log10(longest))
  const x = (share: number): number => LEFT + (-Math.log10(share) / decades) * (WIDTH - LEFT - 10)
  const y = scale(Math.max(...reports.map(({ latency }) => latency.max)))
  const marks = Array.from({ length: Math.floor(decades) + 1 }, (_, power) => {
    const label = power === 0 ? 'all' : `1 in ${10 ** power}`
    const anchor = power === decades ? 'end' : 'middle'
    return html`<line class="axis" x1="${x(10 ** -power)}" x2="${x(10 ** -power)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${x(10 ** -power)}" y="${HEIGHT - 12}" text-anchor="${anchor}">${label}</text>\n`
  })
  const curves = reports.map(({ latencies }, index) => {
    const sorted = latencies.toSorted()
    const count = sorted.length
    // As many points for the last hundredth as for the first 99: in even steps of the scale.
    const points = Array.from({ length: 200 }, (_, step) => {
      const slower = count ** (1 - step / 199)
      const rank = Math.min(count - 1, Math.floor(count - slower))
      return `${x(slower / count).toFixed(1)},${y.at(sorted[rank] as number).toFixed(1)}`
    })
    return html`<polyline points="${points.join(' ')}" style="fill: none; stroke: ${color(index)}; stroke-width: 2"/>\n`
  })
  return figure(
    'Latency by the share of slower inferences',
    [marks, y.lines, curves],
    'From left to right, the share of inferences that took longer than the curve’s height; in milliseconds.',
  )
}

function timeChart(reports: readonly BenchReport[]): Html {
  const y = scale(Math.max(...reports.map(({ latency }) => latency.max)))
  const points = reports.map(({ latencies }, index) => {
    const step = Math.max(1, Math.ceil(latencies.length / MOST_POINTS))
    // The slowest of each step stays: it is what one looks for.
    const path = Array.from({ length: Math.ceil(latencies.length / step) }, (_, at) => {
      const slowest = Math.max(...latencies.subarray(at * step, (at + 1) * step))
      const x = LEFT + ((at * step) / Math.max(1, latencies.length - 1)) * (WIDTH - LEFT - 10)
      return `M${x.toFixed(1)} ${y.at(slowest).toFixed(1)}h0`
    })
    return html`<path d="${path.join('')}" style="stroke: ${color(index)}; stroke-width: 3; stroke-linecap: round; opacity: .7"/>\n`
  })
  const ends = html`<text x="${LEFT}" y="${HEIGHT - 12}">first inference</text><text x="${WIDTH - 10}" y="${HEIGHT - 12}" text-anchor="end">last</text>\n`
  return figure(
    'Latency over time',
    [y.lines, points, ends],
    'Each inference in the order of their results, in milliseconds; where there are too many, the slowest of several.',
  )
}

/** A vertical scale from 0, with a line at round numbers. */
function scale(highest: number): { at(ms: number): number; lines: Html[] } {
  const step = roundStep(highest / 5)
  const top = Math.ceil(highest / step) * step
  const at = (ms: number): number => TOP + (1 - ms / top) * (HEIGHT - TOP - BOTTOM)
  const lines = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => {
    const ms = Number((index * step).toPrecision(6))
    return html`<line class="axis" x1="${LEFT}" x2="${WIDTH - 10}" y1="${at(ms)}" y2="${at(ms)}"/><text x="${LEFT - 8}" y="${at(ms) + 4}" text-anchor="end">${ms}</text>\n`
  })
  return { at, lines }
}

/** 1, 2 or 5 times a power of ten, no less than `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) as number)
}

function figure(label: string, content: readonly (Html | readonly Html[])[], caption: string): Html {
  return html`<figure>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${content}</svg>
<figcaption>${caption}</figcaption>
</figure>
`
}

function color(index: number): string {
  return COLORS[index % COLORS.length] as string
}
