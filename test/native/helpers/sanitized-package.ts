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
} from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { type FixtureOptions, type FixtureOutcome, ROOT, runFixture } from './run-fixture.ts'

const run = promisify(execFile)

/** Node itself is not built with the sanitizer, so that its runtime must be loaded before everything else. */
async function runtime(): Promise<string | undefined> {
  const { stdout } = await run('c++', ['-print-file-name=libasan.so'])
  const path = stdout.trim()
  return isAbsolute(path) && existsSync(path) ? path : undefined
}

/**
 * A copy of this package below build/, whose addon for TensorRT 10 is built with AddressSanitizer and UBSan, from sources that a test may
 * damage. What is unchanged since the last time is not built again.
 */
export class SanitizedPackage {
  readonly root = join(ROOT, 'build', 'sanitized-address')
  readonly #runtime: string

  private constructor(runtime: string) {
    this.#runtime = runtime
  }

  /** @returns why there can be none, or the package, built */
  static async prepare(): Promise<SanitizedPackage | string> {
    const path = await runtime()
    if (path === undefined) return 'the compiler has no libasan.so'
    const made = new SanitizedPackage(path)
    made.#copy()
    const doubles = join(ROOT, 'native', 'test', 'build-doubles.mjs')
    await run(process.execPath, [doubles, '--sanitize=address', '--families=trt10'])
    await made.build()
    return made
  }

  /** Builds the addon from the sources as they are now. */
  async build(): Promise<void> {
    const build = join(this.root, 'build', 'cmake')
    const options = [
      '-DTENSORRT_NODE_SANITIZE=address',
      `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(this.root, 'build', 'Release')}`,
    ]
    await run('cmake', ['-S', this.root, '-B', build, ...options])
    await run('cmake', ['--build', build, '--parallel', '2', '--target', 'tensorrt_node_trt10'])
  }

  /** As {@link runFixture}, with this package's addon and the doubles that are built like it. */
  run(name: string, options: FixtureOptions = {}): Promise<FixtureOutcome> {
    return runFixture(name, {
      ...options,
      root: this.root,
      doubles: join(ROOT, 'build', 'doubles-address'),
      env: {
        LD_PRELOAD: this.#runtime,
        ASAN_OPTIONS: 'detect_leaks=1:exitcode=99',
        LSAN_OPTIONS: `suppressions=${join(ROOT, 'native', 'test', 'lsan.supp')}:print_suppressions=0`,
        UBSAN_OPTIONS: 'halt_on_error=1:exitcode=99:print_stacktrace=1',
        ...options.env,
      },
    })
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
