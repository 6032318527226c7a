/**
 * How a build's progress looks: one line with a bar on a terminal, else plain lines, few enough to read in a CI log.
 *
 * Rejected: listr2. Its renderers own stdout and take over `write`, where `--json` keeps stdout for the document, and it
 * has no bar; a build is one task.
 */
import type { BuildProgress } from '../options.js'
import { formatDuration } from './format.js'
import { type CliIo, displayWidth } from './io.js'

const BAR_WIDTH = 20
const REDRAW_MS = 100
/** Where lines cannot be redrawn: how often one says that the build goes on. */
const PLAIN_MS = 5000
const HEARTBEAT = 'heartbeat'

/** Shows the progress of one build; {@link stop} takes the line away. */
export class ProgressLine {
  readonly #io: CliIo
  readonly #title: string
  readonly #started = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  readonly #tracker = new ProgressTracker()
  #lastPlain = 0

  constructor(io: CliIo, title: string) {
    this.#io = io
    this.#title = title
    if (io.isTTY) {
      this.#draw()
      this.#timer = setInterval(() => this.#draw(), REDRAW_MS)
    } else {
      io.note(`${title} …`)
    }
  }

  /** Takes what `onProgress` gives. */
  readonly update = (progress: BuildProgress): void => {
    this.#tracker.update(progress)
    if (this.#io.isTTY) return
    const elapsed = performance.now() - this.#started
    if (elapsed - this.#lastPlain < PLAIN_MS) return
    this.#lastPlain = elapsed
    const { fraction, text } = this.#tracker
    const percent = fraction === undefined ? '' : ` ${formatPercent(fraction)},`
    this.#io.note(`${this.#title}${percent} ${formatSeconds(elapsed)}${text === '' ? '' : `: ${text}`}`)
  }

  /** The same for work of one stage: what is being done, and how much of how much is. */
  show(phase: string, step = 0, steps = 0): void {
    this.update({ phase, parents: [], step, steps, elapsedMs: 0 })
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#io.status('')
  }

  #draw(): void {
    const { errColor } = this.#io
    const elapsed = formatSeconds(performance.now() - this.#started)
    const { fraction, text } = this.#tracker
    const bar = fraction === undefined ? '' : `${drawBar(fraction)} ${formatPercent(fraction).padStart(5)}  `
    const head = `${this.#title}  ${bar}${elapsed}`
    // One column stays free: a full line would wrap, and a wrapped line cannot be redrawn.
    const room = this.#io.columns - 1 - displayWidth(head) - 2
    const tail = text === '' || room < 8 ? '' : `  ${errColor.dim(shorten(text, room))}`
    this.#io.status(displayWidth(head) < this.#io.columns ? head + tail : shorten(head, this.#io.columns - 1))
  }
}

/** Turns the nested phases of a build into one fraction that never goes back. */
export class ProgressTracker {
  /** The running phases, outermost first. */
  #phases: { readonly phase: string; readonly step: number; readonly steps: number }[] = []
  #fraction: number | undefined

  update({ phase, parents, step, steps }: BuildProgress): void {
    if (phase === HEARTBEAT) return
    const outer = parents.map((name, depth) => {
      const known = this.#phases[depth]
      return known?.phase === name ? known : { phase: name, step: 0, steps: 0 }
    })
    this.#phases = [...outer, { phase, step, steps }]
    // A phase's step that runs is as far as the phases within it are.
    let fraction = 0
    for (const inner of this.#phases.toReversed()) {
      fraction = inner.steps === 0 ? fraction : Math.min(1, (inner.step + fraction) / inner.steps)
    }
    if (this.#phases[0]?.steps) this.#fraction = Math.max(this.#fraction ?? 0, fraction)
  }

  /** 0 to 1; `undefined` until the build says how many steps there are. */
  get fraction(): number | undefined {
    return this.#fraction
  }

  /** The innermost phase, and how far it is. */
  get text(): string {
    const innermost = this.#phases.at(-1)
    if (innermost === undefined) return ''
    return innermost.steps > 1 ? `${innermost.phase} ${innermost.step}/${innermost.steps}` : innermost.phase
  }
}

function drawBar(fraction: number): string {
  const filled = Math.round(fraction * BAR_WIDTH)
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`
}

function formatPercent(fraction: number): string {
  return `${Math.floor(fraction * 100)} %`
}

/** As {@link formatDuration}, but of an even width while it runs. */
function formatSeconds(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatDuration(ms)
}

/** Cuts a text to `width` characters, with `…` where it was cut. */
function shorten(text: string, width: number): string {
  const characters = [...text]
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`
}
