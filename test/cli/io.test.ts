import { describe, expect, test } from 'vitest'
import { CliIo } from '#dist/cli/io.js'

/** A stand-in for a standard stream, that remembers what was written. */
class Recorder {
  text = ''
  readonly isTTY: boolean
  readonly columns: number
  #fail: ((error: Error) => void) | undefined

  constructor(isTTY = false, columns = 40) {
    this.isTTY = isTTY
    this.columns = columns
  }

  write(text: string): void {
    this.text += text
  }

  on(_event: 'error', listener: (error: Error) => void): void {
    this.#fail = listener
  }

  fail(): void {
    this.#fail?.(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  }
}

function make({
  json = false,
  isTTY = false,
  env = {},
}: {
  json?: boolean
  isTTY?: boolean
  env?: NodeJS.ProcessEnv
} = {}) {
  const stdout = new Recorder(isTTY)
  const stderr = new Recorder(isTTY)
  return { io: new CliIo({ stdout, stderr, env, json, signal: new AbortController().signal }), stdout, stderr }
}

describe('stdout', () => {
  test('holds text for people, or one document, and never both', () => {
    for (const json of [false, true]) {
      const { io, stdout, stderr } = make({ json })
      io.print('text')
      io.table([['a', 'b']])
      io.fields([['label', 'text']])
      io.result({ a: 1 })
      io.note('noise')
      expect(stdout.text).toBe(json ? '{\n  "a": 1\n}\n' : 'text\n  a  b\n  label  text\n')
      expect(stderr.text).toBe('noise\n')
    }
  })

  test('its document is JSON whatever is in it', () => {
    const { io, stdout } = make({ json: true })
    io.result({ big: 5n, huge: 2n ** 60n, nan: Number.NaN, inf: [Number.NEGATIVE_INFINITY], data: Uint8Array.of(1, 2) })
    expect(JSON.parse(stdout.text)).toEqual({
      big: 5,
      huge: '1152921504606846976',
      nan: 'NaN',
      inf: ['-Infinity'],
      data: [1, 2],
    })
  })

  test('may lose its reader', () => {
    const { io, stdout } = make()
    io.print('one')
    stdout.fail()
    io.print('two')
    expect(stdout.text).toBe('one\n')
  })
})

test('tables align, numbers to the right, and rows may be short', () => {
  const { io, stdout } = make()
  io.table(
    [
      ['op', '9', 'x'],
      ['longer', '10'],
      ['é', '100', 'y'],
    ],
    { indent: 0, right: [1] },
  )
  expect(stdout.text).toBe('op        9  x\nlonger   10\né       100  y\n')
})

test('long fields go on below themselves on a terminal, and stay whole elsewhere', () => {
  const text = 'one two three four five six seven eight nine'
  const terminal = make({ isTTY: true, env: { NO_COLOR: '1' } })
  terminal.io.fields([['why', text]])
  expect(terminal.stdout.text).toBe('  why  one two three four five six\n       seven eight nine\n')
  const file = make()
  file.io.fields([['why', text]])
  expect(file.stdout.text).toBe(`  why  ${text}\n`)
})

describe('colour', () => {
  const isColoured = (isTTY: boolean, env: NodeJS.ProcessEnv): boolean => make({ isTTY, env }).io.color.bad('x') !== 'x'

  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('terminal %s, environment %o: %s', (isTTY, env, expected) => {
    expect(isColoured(isTTY, env)).toBe(expected)
  })
})

describe('the status line', () => {
  test('is there on a terminal only', () => {
    const { io, stderr } = make()
    io.status('busy')
    expect(stderr.text).toBe('')
  })

  test('makes way for other lines, and comes back below them', () => {
    const { io, stderr } = make({ isTTY: true })
    io.status('busy')
    io.note('hello')
    io.status('')
    expect(stderr.text).toBe('\r\x1b[2Kbusy\r\x1b[2Khello\n\r\x1b[2Kbusy\r\x1b[2K')
  })
})
