// Where nvcc and the CUDA headers come from: the machine's toolkit (CUDA_HOME, or nvcc on the PATH), else packages that
// pip puts into .cache/cuda, once. Nothing is installed outside the project's folder.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CACHE, hashOf, run } from '../scripts/lib/run.mjs'

const REQUIREMENTS = fileURLToPath(new URL('cuda-requirements.txt', import.meta.url))

/**
 * @typedef {object} Cuda
 * @property {string} home folder of bin, include and lib
 * @property {string} nvcc
 * @property {string} cuobjdump
 * @property {string} include
 * @property {string} libraries folder of libcudart_static.a
 */

/** The CUDA compiler and headers, installed first where the machine has none. @returns {Promise<Cuda>} */
export async function cudaToolkit() {
  return describe(toolkitOfMachine() ?? (await installedToolkit()))
}

/** The folder of a TensorRT family's headers in the user's cache, as `tensorrt-node sdk install headers` fills it. */
export function tensorrtHeaders(name) {
  const cache =
    process.env.TENSORRT_NODE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tensorrt-node')
  const folder = join(cache, 'headers', name)
  if (!existsSync(join(folder, 'NvInferRuntime.h'))) {
    throw new Error(`TensorRT's headers are not in ${folder}; run: tensorrt-node sdk install headers`)
  }
  return folder
}

function describe(home) {
  const libraries = ['lib64', 'lib']
    .map((name) => join(home, name))
    .find((folder) => existsSync(join(folder, 'libcudart_static.a')))
  return {
    home,
    nvcc: join(home, 'bin/nvcc'),
    cuobjdump: join(home, 'bin/cuobjdump'),
    include: join(home, 'include'),
    libraries: libraries ?? join(home, 'lib64'),
  }
}

function toolkitOfMachine() {
  const onPath = (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, 'nvcc'))
    .find((file) => existsSync(file))
  const homes = [process.env.CUDA_HOME, onPath && dirname(dirname(realpathSync(onPath))), '/usr/local/cuda']
  return homes.find(
    (home) => home && existsSync(join(home, 'bin/nvcc')) && existsSync(join(home, 'include/cuda_fp16.h')),
  )
}

async function installedToolkit() {
  const target = join(CACHE, `cuda-${hashOf([REQUIREMENTS]).slice(0, 12)}`)
  if (!existsSync(target)) {
    mkdirSync(CACHE, { recursive: true })
    const unfinished = mkdtempSync(join(CACHE, 'cuda-unfinished-'))
    try {
      await run('python3', [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--only-binary',
        ':all:',
        '--target',
        unfinished,
        '-r',
        REQUIREMENTS,
      ])
      renameSync(unfinished, target)
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true })
      // Another process may have been quicker: then its copy is as good.
      if (!existsSync(target)) throw error
    }
  }
  const home = readdirSync(join(target, 'nvidia')).find((name) => /^cu\d+$/.test(name))
  if (home === undefined) throw new Error(`no CUDA folder in ${join(target, 'nvidia')}; remove ${target} and try again`)
  return join(target, 'nvidia', home)
}
