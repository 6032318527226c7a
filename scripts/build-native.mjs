#!/usr/bin/env node
// Builds the native addons into build/Release: all families, or those named.
//
//   node scripts/build-native.mjs [rtx|trt10|trt11 ...] [--verbose]
//
// It is also where CMakeLists.txt and binding.gyp ask what they must agree on: --print sources | headers <family> |
// node-includes | system-flags <family>.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)

/** The folder of each family's headers below the cache; the version is the one the sources are written against. */
const HEADERS = { rtx: 'rtx-1.7', trt10: 'trt10-10.16', trt11: 'trt11-11.4', cuda: 'cuda' }
const FAMILIES = ['rtx', 'trt10', 'trt11']

function headersOf(name) {
  const { TENSORRT_NODE_CACHE, XDG_CACHE_HOME } = process.env
  // The rules of src/sdk/cache-dir.ts, which is not compiled yet when this runs.
  const user = XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache')
  const cache = TENSORRT_NODE_CACHE ? resolve(TENSORRT_NODE_CACHE) : join(user, 'tensorrt-node')
  return join(cache, 'headers', HEADERS[name])
}

function nodeIncludes() {
  return [dirname(require.resolve('node-addon-api/package.json')), require('node-api-headers').include_dir]
}

function print([what, name]) {
  if (what === 'sources') return readFileSync(join(ROOT, 'native/sources.txt'), 'utf8').trim()
  if (what === 'headers' && name in HEADERS) return headersOf(name)
  if (what === 'node-includes') return nodeIncludes().join('\n')
  if (what === 'system-flags' && FAMILIES.includes(name)) {
    return [headersOf(name), headersOf('cuda'), ...nodeIncludes()].map((folder) => `-isystem ${folder}`).join(' ')
  }
  return fail(`--print: received ${what} ${name ?? ''}, see the head of ${import.meta.url}`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}

function checkHeaders(families) {
  const missing = [
    ...families.map((family) => join(headersOf(family), 'NvInfer.h')),
    join(headersOf('cuda'), 'cuda_runtime_api.h'),
  ].filter((file) => !existsSync(file))
  if (missing.length > 0) {
    fail(`The TensorRT headers are not installed: no ${missing.join(', no ')}\nnpx tensorrt-node sdk install headers`)
  }
}

/** Runs cmake-js; its output is shown with --verbose, or when it fails. */
function cmakeJs(args, verbose) {
  let script
  try {
    script = require.resolve('cmake-js/bin/cmake-js')
  } catch {
    fail(`cmake-js is not installed here. Build with\nnpx cmake-js@8 compile --directory ${ROOT}`)
  }
  return new Promise((resolve) => {
    const output = []
    const child = spawn(process.execPath, [script, ...args, '--directory', ROOT], {
      stdio: ['ignore', verbose ? 'inherit' : 'pipe', verbose ? 'inherit' : 'pipe'],
    })
    child.stdout?.on('data', (chunk) => output.push(chunk))
    child.stderr?.on('data', (chunk) => output.push(chunk))
    child.on('error', (error) => fail(String(error)))
    child.on('close', (code) => {
      if (code === 0) return resolve()
      process.stderr.write(Buffer.concat(output))
      fail(`cmake-js ${args[0]} failed (exit code ${code})`)
    })
  })
}

const args = process.argv.slice(2)
if (args[0] === '--print') {
  console.log(print(args.slice(1)))
} else {
  const verbose = args.includes('--verbose')
  const named = args.filter((arg) => arg !== '--verbose')
  const unknown = named.find((arg) => !FAMILIES.includes(arg))
  if (unknown !== undefined) fail(`expected ${FAMILIES.join(', ')} or --verbose, received ${unknown}`)
  const families = named.length > 0 ? named : FAMILIES
  checkHeaders(families)
  // Configured every time: it takes a second, and the folder of the headers may be another one than last time.
  await cmakeJs(['configure'], verbose)
  const targets = named.length > 0 ? named.map((family) => ['--target', `tensorrt_node_${family}`]) : [[]]
  for (const target of targets) await cmakeJs(['build', ...target, '--parallel', '2'], verbose)
}
