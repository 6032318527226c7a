// `npm test`: everything that can be tested here, from a fresh clone on. Each part passes, fails, or is skipped with its
// reason; in CI a part that could not be set up is a failure. `npm test -- FILTER…` runs only the vitest files that match.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nodeGypBuild } from './lib/node-gyp-build.mjs'
import { CACHE, ROOT, run, STRICT } from './lib/run.mjs'
import {
  attempt,
  CLANG_FORMAT,
  PYTHON,
  setUpAddons,
  setUpDist,
  setUpModels,
  setUpPackages,
  setUpPython,
  setUpSdk,
  trackedFiles,
} from './setup.mjs'

const FILTERS = process.argv.slice(2)
const bin = (name) => join(ROOT, 'node_modules/.bin', name)
/** @type {{ name: string, outcome: 'passed' | 'failed' | 'skipped', detail?: string }[]} */
const parts = []

await setUpPackages()
await setUpDist()
const testsPlugins = FILTERS.length === 0 || FILTERS.some((filter) => filter.includes('plugins'))
const noPython = await attempt(setUpPython)
const noHeaders = await attempt(() => setUpSdk('headers'))
// What the first parts do without comes while they compile.
const coming = fetchRest()
coming.catch(() => {})

if (FILTERS.length === 0) {
  await part('format and lint of TypeScript', undefined, () =>
    run(bin('biome'), ['ci', '--colors=off', '--error-on-warnings']),
  )
  await part('format of C++', noPython, clangFormat)
  await part('docs/options.md says what the code does', undefined, () =>
    run(process.execPath, ['scripts/option-docs.mjs', '--check']),
  )
  await part('docs/passes.md says what the passes do', undefined, () =>
    run(process.execPath, ['scripts/pass-docs.mjs', '--check']),
  )
  await part('types of the tests', undefined, () => run(bin('tsc'), ['-p', 'test/tsconfig.json']))
  await part('the package as publint sees it', undefined, () => run(bin('publint'), ['--strict']))
  await part('node-gyp builds the same addons', noHeaders, nodeGypBuild)
}
await part('cmake-js builds the addon for rtx, trt10 and trt11', noHeaders, setUpAddons)
await part('the stand-ins for libcuda and libnvinfer build', noHeaders, () =>
  run(process.execPath, ['native/test/build-doubles.mjs']),
)
const { noModels, noRtx } = await coming
if (testsPlugins) {
  await part('nvcc builds the plugin library for TensorRT 10 and 11', noHeaders, () =>
    run(process.execPath, ['plugins/build.mjs', 'library-trt10', 'library-trt11', 'emulated', 'sass']),
  )
}
const vitest = await runVitest()

console.log('')
for (const reason of new Set(vitest.skipped.map(({ reason }) => reason))) {
  const tests = vitest.skipped.filter((skipped) => skipped.reason === reason)
  console.log(`– skipped: ${reason}\n${tests.map(({ test }) => `    ${test}`).join('\n')}`)
}
if (noRtx !== undefined) console.log(`– TensorRT-RTX could not be installed, so no real engine was built: ${noRtx}`)
if (noModels !== undefined) console.log(`– not every trained model could be installed: ${noModels}`)
for (const { name, outcome, detail } of parts) {
  console.log(
    `${{ passed: '✓', failed: '✗', skipped: '–' }[outcome]} ${name}${detail === undefined ? '' : `\n${detail}`}`,
  )
}
for (const { test, error } of vitest.unsteady) console.log(`~ passed only when it was run again: ${test}\n${error}`)
// Last, so that whoever keeps only the end of the output has what failed.
for (const { test, error } of vitest.failed) console.log(`✗ ${test}\n${error}`)
const count = (outcome) => parts.filter((part) => part.outcome === outcome).length
const failed = count('failed') + vitest.failed.length
console.log(
  `\n${count('passed') + vitest.passed} passed, ${failed} failed, ${count('skipped') + vitest.skipped.length} skipped`,
)
process.exitCode = failed === 0 ? 0 : 1

/** One after the other, as two calls of Maven may spoil its cache. */
async function fetchRest() {
  const noModels = await attempt(setUpModels)
  const noRtx = await attempt(() => setUpSdk('rtx'))
  // Half a minute and 509 MB, by way of Maven: CI pays it for TensorRT's own registry, a user is not made to.
  if (testsPlugins && STRICT) await setUpSdk('trt10')
  return { noModels, noRtx }
}

/** Runs one part of the tests and notes how it ended. */
async function part(name, missing, work) {
  if (missing !== undefined && !STRICT) {
    parts.push({ name, outcome: 'skipped', detail: missing })
    return
  }
  console.log(`• ${name}`)
  try {
    await work()
    parts.push({ name, outcome: 'passed' })
  } catch (error) {
    parts.push({ name, outcome: 'failed', detail: error instanceof Error ? error.message : String(error) })
  }
}

async function clangFormat() {
  await run(CLANG_FORMAT, ['--dry-run', '--Werror', ...(await trackedFiles(/\.(cc|h|cu|cuh)$/))])
}

async function runVitest() {
  const file = join(CACHE, 'vitest-summary.json')
  mkdirSync(CACHE, { recursive: true })
  rmSync(file, { force: true })
  const env = { TENSORRT_NODE_TEST_PYTHON: noPython === undefined ? PYTHON : undefined, TENSORRT_NODE_SUMMARY: file }
  let ended = 'well'
  await run(bin('vitest'), ['run', ...FILTERS], { env, show: true }).catch(() => {
    ended = 'badly'
  })
  const summary = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { passed: 0, failed: [], skipped: [], unsteady: [] }
  // It can fail outside of every test: where no file matches, in a teardown, by a crash.
  if (ended === 'badly' && summary.failed.length === 0) {
    summary.failed.push({ test: 'vitest', error: 'It ended badly, though no test failed; see above.' })
  }
  return summary
}
