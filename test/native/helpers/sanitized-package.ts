import { execFile } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll } from 'vitest'
import { type FixtureOptions, type FixtureOutcome, obstacle, ROOT, runFixture } from './run-fixture.ts'

const run = promisify(execFile)

const suppressions = (name: string) => `suppressions=${join(ROOT, 'native', 'test', name)}:print_suppressions=0`

/** What the compiler calls a sanitizer: its runtime, and how that is set. */
const SANITIZERS = {
  /** With LeakSanitizer and UBSan. */
  address: {
    library: 'libasan.so',
    env: {
      ASAN_OPTIONS: 'detect_leaks=1:exitcode=99',
      LSAN_OPTIONS: suppressions('lsan.supp'),
      UBSAN_OPTIONS: 'halt_on_error=1:exitcode=99:print_stacktrace=1',
    },
  },
  thread: {
    library: 'libtsan.so',
    // Exit code 0: Node itself has races (see races.ts), which must not change what a fixture ends with. Its detector of
    // deadlocks is not asked, and ends the process where a thread of V8 holds more mutexes than it can note.
    env: {
      TSAN_OPTIONS: `${suppressions('tsan.supp')}:exitcode=0:history_size=4:atexit_sleep_ms=0:detect_deadlocks=0`,
    },
  },
} as const

/** Of sources below native/, what becomes of which text, which must be in the file once. */
export type Changes = Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>

/** What changes may ask: whether the variable SEEDED_FAULT names the fault that they make. */
const SEEDS = `#include <cstdlib>
#include <cstring>
#ifndef SEEDED_FAULTS  // several sources are one compilation
#define SEEDED_FAULTS
[[maybe_unused]] static bool seeded(char const* fault) {
  char const* const wanted = std::getenv("SEEDED_FAULT");
  return wanted != nullptr && std::strcmp(wanted, fault) == 0;
}
#endif
`

/** What a sanitizer says of itself, and not of what it watches. */
const OWN_FAILURE = /^==\d+==(ERROR: ThreadSanitizer failed to allocate|LeakSanitizer has encountered a fatal error)/m

/** Node itself is not built with the sanitizer, so that its runtime must be loaded before everything else. */
async function find(library: string): Promise<string | undefined> {
  const { stdout } = await run('c++', [`-print-file-name=${library}`])
  const path = stdout.trim()
  return isAbsolute(path) && existsSync(path) ? path : undefined
}

/**
 * A copy of this package below build/, whose addon for TensorRT 10 is built with a sanitizer, from sources that a test may
 * damage. What is unchanged since the last time is not built again.
 */
export class SanitizedPackage {
  readonly root: string
  readonly #sanitizer: keyof typeof SANITIZERS
  readonly #runtime: string

  private constructor(sanitizer: keyof typeof SANITIZERS, runtime: string) {
    this.root = join(ROOT, 'build', `sanitized-${sanitizer}`)
    this.#sanitizer = sanitizer
    this.#runtime = runtime
  }

  /** @returns why there can be none, or the package, built */
  static async prepare(sanitizer: keyof typeof SANITIZERS): Promise<SanitizedPackage | string> {
    const { library } = SANITIZERS[sanitizer]
    const path = await find(library)
    if (path === undefined) return `the compiler has no ${library}`
    const made = new SanitizedPackage(sanitizer, path)
    made.#copy()
    const doubles = join(ROOT, 'native', 'test', 'build-doubles.mjs')
    await run(process.execPath, [doubles, `--sanitize=${sanitizer}`, '--families=trt10'])
    await made.build()
    return made
  }

  /** Builds the addon with changes to its sources, gives it to `use`, and puts the sources back. */
  async damaged(changes: Changes, use: () => Promise<void>): Promise<void> {
    const sources = Object.entries(changes).map(([file, texts]) => {
      const path = join(this.root, 'native', file)
      const sound = readFileSync(path, 'utf8')
      const faulty = texts.reduce((text, [from, to]) => {
        const times = text.split(from).length - 1
        if (times !== 1) throw new Error(`${JSON.stringify(from)} is ${times} times in ${file}`)
        return text.replace(from, () => to)
      }, SEEDS + sound)
      return { path, sound, faulty }
    })
    try {
      for (const { path, faulty } of sources) writeFileSync(path, faulty)
      await this.build()
      await use()
    } finally {
      for (const { path, sound } of sources) writeFileSync(path, sound)
    }
  }

  /** Builds the addon from the sources as they are now. */
  async build(): Promise<void> {
    const build = join(this.root, 'build', 'cmake')
    const options = [
      `-DTENSORRT_NODE_SANITIZE=${this.#sanitizer}`,
      `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(this.root, 'build', 'Release')}`,
    ]
    await run('cmake', ['-S', this.root, '-B', build, ...options])
    await run('cmake', ['--build', build, '--parallel', '2', '--target', 'tensorrt_node_trt10'])
  }

  /**
   * As {@link runFixture}, with this package's addon and the doubles that are built like it. One process in sixty ends since
   * GCC 12's ThreadSanitizer cannot map memory of its own, in a report on V8, and on a loaded machine LeakSanitizer's thread
   * that looks through the others may crash: that tells nothing, and is run again.
   */
  async run(name: string, options: FixtureOptions = {}): Promise<FixtureOutcome> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await runFixture(name, {
        ...options,
        root: this.root,
        doubles: join(ROOT, 'build', `doubles-${this.#sanitizer}`),
        env: { LD_PRELOAD: this.#runtime, ...SANITIZERS[this.#sanitizer].env, ...options.env },
      })
      if (attempt === 4 || !OWN_FAILURE.test(outcome.stderr)) return outcome
    }
  }

  #copy(): void {
    const copied = ['CMakeLists.txt', 'package.json', 'dist', 'native', 'scripts', 'test/native/fixtures']
    for (const name of copied) copyWhatDiffers(join(ROOT, name), join(this.root, name))
    const modules = join(this.root, 'node_modules')
    if (!existsSync(modules)) symlinkSync(join(ROOT, 'node_modules'), modules)
  }
}

/**
 * What is the same keeps its time, and what differs gets a new one, so that CMake builds what it must: a source that a test
 * damaged and put back is older, in the package, than what was built from it.
 */
function copyWhatDiffers(from: string, to: string): void {
  if (statSync(from).isDirectory()) {
    mkdirSync(to, { recursive: true })
    for (const name of readdirSync(from)) copyWhatDiffers(join(from, name), join(to, name))
  } else if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to))) {
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(from, to)
    const now = new Date()
    utimesSync(to, now, now)
  }
}

/** Prepares a package before a file's tests; what it gives back gives it to a test, or skips the test with the reason. */
export function sanitizedPackage(
  sanitizer: keyof typeof SANITIZERS,
): (context: { skip(reason: string): never }) => SanitizedPackage {
  let prepared: SanitizedPackage | string
  beforeAll(async () => {
    prepared = obstacle() ?? (await SanitizedPackage.prepare(sanitizer))
  }, 600_000)
  return (context) => (typeof prepared === 'string' ? context.skip(prepared) : prepared)
}
