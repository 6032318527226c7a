// Builds the addons a second time, by node-gyp, away from cmake-js's build folder, and loads each: the proof that
// binding.gyp and CMakeLists.txt describe the same thing.
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CACHE, ROOT, run } from './run.mjs'

const FAMILIES = ['rtx', 'trt10', 'trt11']

export async function nodeGypBuild() {
  const folder = join(CACHE, 'node-gyp')
  for (const name of ['binding.gyp', 'package.json', 'scripts', 'native']) {
    rmSync(join(folder, name), { recursive: true, force: true })
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  }
  mkdirSync(folder, { recursive: true })
  if (!existsSync(join(folder, 'node_modules'))) symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  // Where node came with its headers, node-gyp need not download them.
  const prefix = dirname(dirname(process.execPath))
  const nodedir = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
  await run(process.execPath, [join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js'), 'rebuild', ...nodedir, '-j', '2'], {
    cwd: folder,
    // Nothing of it is run but its loading, so that it need not be fast.
    env: { CXXFLAGS: '-O0' },
  })
  for (const family of FAMILIES) {
    const file = join(folder, `build/Release/tensorrt_node_${family}.node`)
    await run(process.execPath, ['-e', `if (require(${JSON.stringify(file)}).family !== '${family}') process.exit(1)`])
  }
}
