import { resolve } from 'node:path'
import { BUILTIN, checkPluginLibrary, familyOfPlugins, type PluginFamily } from '../backends/tensorrt/plugin-library.js'
import { toPath } from '../files.js'
import type { PluginCreatorInfo } from './messages.js'
import { type BenchOptions, PluginBench } from './plugin-bench.js'

/** What is in a plugin library. */
export interface PluginLibraryInfo {
  /** The library's path. */
  readonly library: string
  /** The family of TensorRT that it needs; absent where the file does not tell: it is not linked with one. */
  readonly family?: PluginFamily
  /** Whether it is an emulated build, whose kernels run on the CPU; no TensorRT takes such a library. */
  readonly emulated: boolean
  /** The libraries that it needs, as it names them. */
  readonly needed: readonly string[]
  readonly creators: readonly PluginCreatorInfo[]
}

/**
 * Says what is in a plugin library, before TensorRT sees it. Its file is judged first, and then it is opened in a process
 * of its own, which it may end.
 *
 * @param library a path, a `file:` URL, or `'builtin'`
 * @throws {TrtError} `FILE_NOT_FOUND`; `INVALID_PLUGIN` with what is wrong: no library, of another machine, no exported
 *   creators, a library that it needs is missing, made for TensorRT 8, crashes when opened; `TENSORRT_NOT_FOUND` where
 *   it needs a TensorRT that is not here; `ADDON_NOT_BUILT`, `ABORTED`
 */
export async function inspectPlugins(
  library: string | URL,
  options: Omit<BenchOptions, 'library'> = {},
): Promise<PluginLibraryInfo> {
  const name = library === BUILTIN ? BUILTIN : resolve(toPath(library))
  let bench = await PluginBench.open({ ...options, library: name })
  try {
    const creators: PluginCreatorInfo[] = []
    for (const [index, creator] of bench.creators.entries()) {
      if (creator.interface !== 'IPluginV2') {
        creators.push(creator)
        continue
      }
      const found = await bench.interfaceOf(index)
      creators.push({ ...creator, interface: found ?? creator.interface })
      if (bench.hasEnded) {
        // A plugin that cannot be made without fields may crash; the others are asked in another process.
        await bench.close()
        bench = await PluginBench.open({ ...options, library: name })
      }
    }
    const links = checkPluginLibrary(bench.library)
    const family = familyOfPlugins(bench.library, links)
    return {
      library: bench.library,
      ...(family === undefined ? {} : { family }),
      emulated: bench.emulated,
      needed: links?.needed ?? [],
      creators,
    }
  } finally {
    await bench.close()
  }
}
