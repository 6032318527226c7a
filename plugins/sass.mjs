// What nvcc made of every kernel, read with cuobjdump, as JSON: node plugins/sass.mjs

import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from '../scripts/lib/run.mjs'
import { cudaToolkit } from './toolchain.mjs'

const CUBINS = (await run(process.execPath, [new URL('build.mjs', import.meta.url).pathname, 'sass'])).trim()
const TYPES = { f: 'float32', '6__half': 'float16', '13__nv_bfloat16': 'bfloat16' }
const REGISTERS_OF_SM = 65_536
const THREADS_OF_SM = { 80: 2048, 90: 2048, 120: 1536 }
/** Registers are handed out to a warp in steps of 8 a thread. */
const REGISTER_STEP = 8

const { cuobjdump } = await cudaToolkit()
const table = []
for (const file of readdirSync(CUBINS).sort()) {
  const gpu = Number(/sm_(\d+)/.exec(basename(file))[1])
  const usage = resources(await run(cuobjdump, ['-res-usage', join(CUBINS, file)]))
  const code = functions(await run(cuobjdump, ['-sass', join(CUBINS, file)]))
  for (const [name, text] of code) table.push({ gpu, ...describe(name), ...usage.get(name), ...instructions(text) })
}
for (const row of table) row.bytesInFlight = bytesInFlight(row)
console.log(JSON.stringify(table))

/** Template arguments out of the mangled name: layerNormKernel<T, Elements, Packs, Lanes>, preluKernel<T, Elements, …>. */
function describe(name) {
  const norm = /layerNormKernelI(f|6__half|13__nv_bfloat16)Li(\d+)ELi(\d+)ELi(\d+)E/.exec(name)
  if (norm !== null) {
    return { kernel: 'layerNorm', type: TYPES[norm[1]], elements: +norm[2], packs: +norm[3], lanes: +norm[4] }
  }
  const stream = /layerNormStreamKernelI(f|6__half|13__nv_bfloat16)Li(\d+)E/.exec(name)
  if (stream !== null) return { kernel: 'layerNormStream', type: TYPES[stream[1]], elements: +stream[2] }
  const prelu = /preluKernelI(f|6__half|13__nv_bfloat16)Li(\d+)E([jy])NS_\d+([A-Za-z]+)I/.exec(name)
  if (prelu === null) throw new Error(`a kernel that this table does not know: ${name}`)
  return {
    kernel: 'prelu',
    type: TYPES[prelu[1]],
    elements: +prelu[2],
    index: prelu[3] === 'j' ? 32 : 64,
    slopes: prelu[4],
  }
}

function resources(text) {
  const found = text.matchAll(/Function (\S+):\s+REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)/g)
  return new Map(
    [...found].map(([, name, registers, stack, shared, local]) => [
      name,
      { registers: +registers, stack: +stack, shared: +shared, local: +local },
    ]),
  )
}

function functions(text) {
  return text
    .split(/^\s*Function : /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')).trim(), part])
}

function instructions(text) {
  const count = (pattern) => (text.match(pattern) ?? []).length
  return {
    loads: count(/\bLDG\b/g),
    wideLoads: count(/\bLDG\.E\.128/g),
    stores: count(/\bSTG\b/g),
    wideStores: count(/\bSTG\.E\.128/g),
    spills: count(/\b(?:STL|LDL)\b/g),
    calls: count(/\bCALL\b/g),
  }
}

/** Bytes of x that the warps an SM can hold have asked for at once, as far as registers limit them. */
function bytesInFlight({ gpu, kernel, registers, elements, packs, type }) {
  if (kernel !== 'layerNorm') return undefined
  const allotted = Math.ceil(registers / REGISTER_STEP) * REGISTER_STEP
  const threads = Math.min(THREADS_OF_SM[gpu], Math.floor(REGISTERS_OF_SM / (allotted * 128)) * 128)
  return threads * packs * elements * (type === 'float32' ? 4 : 2)
}
