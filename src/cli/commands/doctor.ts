import { homedir } from 'node:os'
import type { Command } from 'commander'
import { SDK_FAMILY_TITLES } from '../../sdk/family.js'
import { define, EXIT_FAILED } from '../command.js'
import { type Ability, collectDoctorReport, type DoctorReport } from '../doctor-report.js'
import { formatBytes } from '../format.js'
import { type CliIo, displayWidth, wrap } from '../io.js'

const EXIT_HELP = `
Exit code 0 where something can build an engine here and run it, be it the CPU
backend; 1 where nothing can.`

/** `tensorrt-node doctor`. */
export function registerDoctor(program: Command): void {
  const doctor = program
    .command('doctor')
    .description('What this machine can build and run, and the fix for what it cannot')
    .addHelpText('after', EXIT_HELP)
  define(
    doctor,
    [
      ['doctor', 'the driver, the GPUs, every TensorRT found, every place tried'],
      ['doctor --json', 'the same for a program, or for a bug report'],
    ],
    printReport,
  )
}

async function printReport(io: CliIo): Promise<number | undefined> {
  io.status('looking around …')
  const report = await collectDoctorReport()
  io.status('')
  const page = new Page(io)
  machine(page, report)
  tensorRT(page, report)
  cache(page, report)
  tools(page, report)
  abilities(page, report)
  io.result(report)
  return report.ok ? undefined : EXIT_FAILED
}

/** Lines with marks, no wider than the terminal. */
class Page {
  readonly io: CliIo
  readonly #width: number

  constructor(io: CliIo) {
    this.io = io
    // Long lines are hard to read, and unknown widths are said to be 80.
    this.#width = Math.min(io.columns, 100)
  }

  heading(text: string): void {
    this.io.print(this.io.color.bold(text))
  }

  blank(): void {
    this.io.print()
  }

  /** `'missing'` is no fault: something that need not be there. */
  mark(state: 'good' | 'bad' | 'missing'): string {
    const { good, bad, dim } = this.io.color
    return { good: good('✓'), bad: bad('✗'), missing: dim('–') }[state]
  }

  /** A marked line: a label in a column of its own, then text, wrapped below itself. */
  line(state: 'good' | 'bad' | 'missing', label: string, labelWidth: number, text: string): void {
    const head = `  ${this.mark(state)} ${label}${' '.repeat(Math.max(0, labelWidth - displayWidth(label)))}  `
    const indent = displayWidth(head)
    const lines = wrap(text, this.#width - indent)
    lines.forEach((line, index) => {
      this.io.print(index === 0 ? head + line : ' '.repeat(indent) + line)
    })
  }

  /** Something to do. */
  fix(text: string): void {
    for (const line of wrap(text, this.#width - 2)) this.io.print(`  ${this.io.color.accent(line)}`)
  }

  /** Text below a line, in the background. */
  below(text: string, indent: number): void {
    for (const line of wrap(text, this.#width - indent)) this.io.print(' '.repeat(indent) + this.io.color.dim(line))
  }
}

function machine(page: Page, { system, gpu, addons, onnxruntime }: DoctorReport): void {
  const width = 13
  page.heading('Machine')
  page.line('good', 'Node.js', width, `${system.node}, ${system.platform}-${system.arch}`)
  const driver = gpu.driverVersion
  const absent = addons.some(({ ok }) => ok) ? gpu.reason : 'unknown: only an addon can ask for it'
  const cuda = `${Math.floor(driver / 1000)}.${Math.floor((driver % 1000) / 10)}`
  page.line(
    driver > 0 ? 'good' : 'missing',
    'NVIDIA driver',
    width,
    driver > 0 ? `serves CUDA up to ${cuda}` : (absent ?? 'not found'),
  )
  for (const { name, computeCapability, memoryBytes } of gpu.devices) {
    page.line('good', 'GPU', width, `${name}, compute capability ${computeCapability}, ${formatBytes(memoryBytes)}`)
  }
  page.line(onnxruntime.ok ? 'good' : 'bad', 'CPU backend', width, onnxruntime.detail)
  for (const { family, ok, detail, fixes } of addons) {
    page.line(ok ? 'good' : 'bad', `addon ${family}`, width, [detail, ...fixes].join('\n'))
  }
  page.blank()
}

function tensorRT(page: Page, { sdks, tried }: DoctorReport): void {
  page.heading('TensorRT')
  if (sdks.length === 0) page.line('bad', 'none found', 0, '')
  for (const { family, version, nvinfer, onnxParser, source } of sdks) {
    page.line('good', `${SDK_FAMILY_TITLES[family]}`, 0, `${version ?? 'version unknown'}, by ${source}`)
    page.below(tilde(nvinfer), 4)
    if (!onnxParser) page.below('no ONNX parser beside it: it can run engines, and build none', 4)
  }
  page.blank()
  page.heading('Places tried, in this order')
  const width = Math.max(...tried.map(({ source }) => displayWidth(source)))
  for (const { source, path, outcome, detail } of tried) {
    const state = outcome === 'found' ? 'good' : outcome === 'unusable' ? 'bad' : 'missing'
    page.line(state, source, width, detail)
    if (path && path !== source && path !== 'ldconfig -p') page.below(tilde(path.replaceAll(':', ' ')), 4)
  }
  page.blank()
}

function cache(page: Page, { cache: { dir, packages } }: DoctorReport): void {
  page.heading(`Installed by \`sdk install\` in ${tilde(dir)}`)
  const present = packages.filter((item) => item.dir !== undefined)
  if (present.length === 0) page.line('missing', 'nothing', 0, '')
  for (const { name, version, installed, installedVersion, installedBytes, damaged } of present) {
    const state = installed ? 'good' : 'bad'
    const text = installed
      ? `${version}, ${formatBytes(installedBytes ?? 0)}`
      : damaged.length > 0
        ? `${damaged.join(', ')} damaged: npx tensorrt-node sdk install ${name}`
        : `${installedVersion}, not ${version}: npx tensorrt-node sdk install ${name}`
    page.line(state, name, 7, text)
  }
  page.blank()
}

function tools(page: Page, report: DoctorReport): void {
  page.heading('Tools')
  for (const { name, ok, detail, neededFor, fixes } of report.tools) {
    page.line(ok ? 'good' : 'missing', name, 7, ok ? detail : `${detail}; for ${neededFor}: ${fixes.join(', ')}`)
  }
  page.blank()
}

function abilities(page: Page, report: DoctorReport): void {
  page.heading('What this machine can do')
  for (const ability of report.abilities) {
    for (const verb of ['build', 'run'] as const) {
      const { ok, detail } = ability[verb]
      page.line(ok ? 'good' : 'bad', `${verb.padEnd(5)} ${ability.title}`, 28, detail.split('\n')[0] ?? '')
    }
  }
  const fixes = fixesOf(report.abilities)
  if (fixes.size === 0) return
  page.blank()
  page.heading('To be able to do the rest')
  for (const [fix, what] of fixes) {
    page.fix(fix)
    page.below(`to ${what.join(', ')}`, 4)
  }
}

/** What each fix is needed for; one fix often serves several. */
function fixesOf(abilities: readonly Ability[]): ReadonlyMap<string, readonly string[]> {
  const fixes = new Map<string, string[]>()
  for (const { title, build, run } of abilities) {
    for (const fix of new Set([...build.fixes, ...run.fixes])) {
      const verbs = [build.fixes.includes(fix) && 'build', run.fixes.includes(fix) && 'run'].filter(Boolean)
      fixes.set(fix, [...(fixes.get(fix) ?? []), `${verbs.join(' and ')} ${title}`])
    }
  }
  return fixes
}

function tilde(path: string): string {
  const home = `${homedir()}/`
  return path
    .split(' ')
    .map((part) => (home.length > 2 && part.startsWith(home) ? `~/${part.slice(home.length)}` : part))
    .join(' ')
}
