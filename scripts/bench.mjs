// `npm run bench`: runs the benchmarks in bench/, prints their ratios and writes them to bench/results.md. `npm run
// bench -- throughput` runs one of them and writes nothing. A ratio outside its limit ends with exit code 1.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './lib/run.mjs'
import { setUpAddons, setUpDist, setUpPackages, setUpPython, setUpSdk } from './setup.mjs'

const BENCHMARKS = ['event-loop', 'build-time', 'throughput', 'batch', 'calibration', 'runner', 'parity']
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !BENCHMARKS.includes(name))
if (unknown.length > 0) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${BENCHMARKS.join(', ')}`)

await setUpPackages()
await setUpDist()
await setUpSdk('headers')
await setUpSdk('rtx')
await setUpAddons()
await setUpPython()

const lines = []
let missed = 0
for (const name of wanted.length > 0 ? wanted : BENCHMARKS) {
  const { title, measure } = await import(`../bench/${name}.mjs`)
  lines.push(`## ${title}`, '', '| ratio | measured | limit |  |', '|---|---|---|---|')
  for (const { what, ratio, atMost, atLeast } of await measure()) {
    const held = !(ratio > atMost) && !(ratio < atLeast)
    if (!held) missed++
    const limits = [atLeast === undefined ? [] : `≥ ${atLeast}`, atMost === undefined ? [] : `≤ ${atMost}`].flat()
    const verdict = limits.length === 0 ? '' : held ? 'held' : '**missed**'
    lines.push(`| ${what} | ${ratio.toFixed(3)} | ${limits.join(', ')} | ${verdict} |`)
  }
  lines.push('')
  console.log(lines.slice(lines.lastIndexOf(`## ${title}`)).join('\n'))
}
if (wanted.length === 0) {
  const about = `Written by \`npm run bench\` on ${cpus().length} cores of ${cpus()[0]?.model}, Node ${process.version}. Ratios of medians taken in turns in one run.`
  writeFileSync(join(ROOT, 'bench/results.md'), `# Results\n\n${about}\n\n${lines.join('\n')}`)
}
process.exitCode = missed === 0 ? 0 : 1
