/**
 * How a command talks: results to stdout, everything else (progress, logs, warnings, errors) to stderr.
 *
 * With `--json` stdout holds one JSON document and nothing else, so {@link CliIo.print} is silent and
 * {@link CliIo.result} writes; without it, it is the other way round. A command calls both and need not ask.
 */
import { stripVTControlCharacters, styleText } from 'node:util'

/** What {@link CliIo} needs of `process.stdout` and `process.stderr`. */
export interface CliStream {
  write(text: string): unknown
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** What {@link CliIo} is made of. */
export interface CliIoOptions {
  stdout: CliStream
  stderr: CliStream
  env: NodeJS.ProcessEnv
  /** `--json` was given. */
  json: boolean
  /** Fires at SIGINT or SIGTERM; pass it to whatever takes long. */
  signal: AbortSignal
}

/** Colours a text where its stream shows colours, and gives it back as it is where not. */
export type Paint = (text: string) => string

/** The colours in use, by meaning. */
export interface Palette {
  readonly bold: Paint
  readonly dim: Paint
  readonly good: Paint
  readonly warning: Paint
  readonly bad: Paint
  readonly accent: Paint
}

/** Options of {@link CliIo.table}. */
export interface TableOptions {
  /** Spaces before each row. Default 2. */
  indent?: number
  /** Column names, in bold above the rows. */
  header?: readonly string[]
  /** Columns (from 0) that are aligned to the right, as numbers are. */
  right?: readonly number[]
}

/** The output of one command. */
export class CliIo {
  readonly json: boolean
  readonly signal: AbortSignal
  readonly env: NodeJS.ProcessEnv
  /** Whether stderr is a terminal whose last line may be redrawn. */
  readonly isTTY: boolean
  /** Colours for text that goes to stdout. */
  readonly color: Palette
  /** Colours for text that goes to stderr. */
  readonly errColor: Palette
  readonly #stdout: Sink
  readonly #stderr: Sink
  #status = ''

  constructor({ stdout, stderr, env, json, signal }: CliIoOptions) {
    this.json = json
    this.signal = signal
    this.env = env
    this.isTTY = stderr.isTTY === true && env.TERM !== 'dumb'
    this.color = palette(showsColor(stdout, env))
    this.errColor = palette(showsColor(stderr, env))
    this.#stdout = new Sink(stdout)
    this.#stderr = new Sink(stderr)
  }

  /** The width of the terminal in characters; 80 where it is unknown. */
  get columns(): number {
    return this.#stderr.columns ?? this.#stdout.columns ?? 80
  }

  /** What went wrong while writing the result; known a turn of the event loop after the write. */
  get outputError(): Error | undefined {
    return this.#stdout.error
  }

  /** A line of the result for people, to stdout; silent with `--json`. */
  print(text = ''): void {
    if (!this.json) this.#above(this.#stdout, `${text}\n`)
  }

  /** Aligned columns for people, to stdout; silent with `--json`. Rows may have fewer cells; the last is not padded. */
  table(rows: readonly (readonly string[])[], options: TableOptions = {}): void {
    if (this.json) return
    for (const line of formatTable(rows, options, this.color)) this.print(line)
  }

  /**
   * `label  text` lines for people, to stdout; silent with `--json`. On a terminal, long texts go on below themselves.
   * Each label is padded to the widest, or to `labelWidth`, which aligns several blocks.
   */
  fields(rows: readonly (readonly [label: string, text: string])[], labelWidth = 0): void {
    if (this.json) return
    const width = Math.max(labelWidth, ...rows.map(([label]) => displayWidth(label)))
    for (const [label, text] of rows) {
      const lines = this.#stdout.isTTY ? wrap(text, Math.max(20, this.columns - width - 5)) : [text]
      lines.forEach((line, index) => {
        const head = index === 0 ? label + ' '.repeat(width - displayWidth(label)) : ' '.repeat(width)
        this.print(`  ${this.color.dim(head)}  ${line}`)
      })
    }
  }

  /** The one JSON document of a command, to stdout; silent without `--json`. */
  result(document: unknown): void {
    if (this.json) this.#above(this.#stdout, `${toJsonText(document)}\n`)
  }

  /** A line about what goes on, to stderr. */
  note(text: string): void {
    this.#above(this.#stderr, `${text}\n`)
  }

  /** `warning: text`, to stderr. */
  warn(text: string): void {
    this.note(`${this.errColor.warning('warning:')} ${text}`)
  }

  /**
   * Shows `text` as the last line of the terminal, in place of what {@link status} showed before; `''` takes it away.
   * Does nothing where stderr is no terminal. `text` must be no longer than {@link columns} less one.
   */
  status(text: string): void {
    if (!this.isTTY || text === this.#status) return
    this.#stderr.write(`\r\x1b[2K${text}`)
    this.#status = text
  }

  /** Writes above the status line, which may share the terminal with stdout. */
  #above(sink: Sink, text: string): void {
    const status = this.#status
    this.status('')
    sink.write(text)
    this.status(status)
  }
}

/**
 * A stream that stays quiet once its reader has gone (`tensorrt-node inspect m.onnx | head -1`): the command goes on,
 * for a build is worth finishing though nobody reads its report.
 */
class Sink {
  /** Why nothing more can be written, e.g. a full disk; a reader that has gone is no reason to complain. */
  error: Error | undefined
  readonly #stream: CliStream
  #gone = false

  constructor(stream: CliStream) {
    this.#stream = stream
    stream.on('error', (error) => {
      this.#gone = true
      if (error.code !== 'EPIPE') this.error = error
    })
  }

  get columns(): number | undefined {
    return this.#stream.columns
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true
  }

  write(text: string): void {
    if (!this.#gone) this.#stream.write(text)
  }
}

/** https://no-color.org and https://force-color.org: an empty value counts as unset. */
function showsColor(stream: CliStream, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

function palette(enabled: boolean): Palette {
  const paint =
    (format: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      enabled ? styleText(format, text, { validateStream: false }) : text
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    good: paint('green'),
    warning: paint('yellow'),
    bad: paint('red'),
    accent: paint('cyan'),
  }
}

function formatTable(rows: readonly (readonly string[])[], options: TableOptions, color: Palette): string[] {
  const { indent = 2, header, right = [] } = options
  const all = header === undefined ? rows : [header, ...rows]
  const widths: number[] = []
  for (const row of all) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell))
    })
  }
  const format = (row: readonly string[]): string =>
    ' '.repeat(indent) +
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] as number) - displayWidth(cell))
        if (right.includes(column)) return padding + cell
        return column === row.length - 1 ? cell : cell + padding
      })
      .join('  ')
  return all.map((row) => (row === header ? color.bold(format(row)) : format(row)))
}

/** Breaks a text at spaces into lines of at most `width` characters; a longer word keeps a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
        lines.push(line)
        line = word
      } else {
        line = line === '' ? word : `${line} ${word}`
      }
    }
    lines.push(line)
  }
  return lines
}

/** Characters that a text takes on the terminal, colours aside. */
export function displayWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length
}

/**
 * Indented JSON. What JSON has no word for becomes the nearest thing: a typed array an array, a bigint a number where it
 * is exact (else a string), NaN and infinities the strings `"NaN"`, `"Infinity"`, `"-Infinity"`.
 */
export function toJsonText(document: unknown): string {
  return JSON.stringify(
    document,
    (_key, value: unknown) => {
      if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
      if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
      if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Uint8Array)
      return value
    },
    2,
  )
}
