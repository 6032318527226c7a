#!/usr/bin/env node
// Builds the doubles of libcuda and TensorRT (see README.md) into build/doubles, or with a sanitizer into
// build/doubles-<name>. A second run takes a second.
// Usage: build-doubles.mjs [--sanitize=address|thread] [--families=rtx,trt10,trt11]
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = resolve(here, '../..')
const { values } = parseArgs({
  options: { sanitize: { type: 'string' }, families: { type: 'string', default: 'rtx,trt10,trt11' } },
})
if (![undefined, 'address', 'thread'].includes(values.sanitize)) {
  console.error(`--sanitize: expected address or thread, received ${values.sanitize}`)
  process.exit(2)
}

const cache =
  process.env.TENSORRT_NODE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tensorrt-node')
const headers = join(cache, 'headers')
if (!existsSync(join(headers, 'trt11-11.4', 'NvInfer.h'))) {
  console.error(`no TensorRT headers in ${headers}: npx tensorrt-node sdk install headers`)
  process.exit(1)
}

const output = join(root, 'build', values.sanitize ? `doubles-${values.sanitize}` : 'doubles')
const build = join(output, '.build')
mkdirSync(build, { recursive: true })
const run = (...args) => execFileSync('cmake', args, { stdio: ['ignore', 'inherit', 'inherit'] })
run(
  ...['-S', here, '-B', build, '--log-level=WARNING'],
  `-DTRT_DOUBLES_HEADERS=${headers}`,
  `-DTRT_DOUBLES_OUTPUT=${output}`,
  `-DTRT_DOUBLES_NODE=${process.execPath}`,
  `-DTRT_DOUBLES_NODE_HEADERS=${join(root, 'node_modules/node-api-headers/include')}`,
  `-DTRT_DOUBLES_SANITIZE=${values.sanitize ?? ''}`,
  `-DTRT_DOUBLES_FAMILIES=${values.families.replaceAll(',', ';')}`,
)
run('--build', build, '--parallel', '2')
