/**
 * Plugin libraries as TensorRT's registry takes them, judged before TensorRT opens one: its `loadLibrary` answers a file
 * that it cannot use with null and no word, and to open a library made for another major version may end the process.
 *
 * `'builtin'` is the library of this package (plugins/), compiled for each family apart: the layout of the registry that
 * it registers with is not the same in TensorRT 10 and 11. It comes with the package where it was built before packing;
 * elsewhere `node plugins/build.mjs` makes it.
 */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TrtError } from '../../errors.js'
import { checkLibrary } from '../../sdk/check-library.js'
import { SDK_FAMILY_TITLES } from '../../sdk/family.js'
import { findTensorRT } from '../../sdk/find-tensorrt.js'
import { type LibraryLinks, readLibraryLinks } from '../../sdk/library-links.js'

/** The families that have plugins. */
export type PluginFamily = 'trt10' | 'trt11'

/** Every {@link PluginFamily}. */
export const PLUGIN_FAMILIES: readonly PluginFamily[] = ['trt10', 'trt11']

/** What stands for this package's own library. */
export const BUILTIN = 'builtin'

/** What `plugins/build.mjs` makes: a library for each family, and one that runs on an emulated GPU. */
export type BuiltinKind = PluginFamily | 'emulated'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const TARGETS: Readonly<Record<BuiltinKind, string>> = {
  trt10: 'library-trt10',
  trt11: 'library-trt11',
  emulated: 'emulated',
}

/** Where this package's own plugin library is, or will be once it is built. */
export function builtinLibrary(kind: BuiltinKind): string {
  return join(ROOT, 'build', 'plugins', TARGETS[kind], 'libtensorrt_node_plugins.so')
}

/**
 * The paths of plugin libraries for a family, each judged as far as that goes without loading it.
 *
 * @param names `'builtin'` or paths
 * @throws {TrtError} `FILE_NOT_FOUND`, `INVALID_PLUGIN`
 */
export function resolvePlugins(names: readonly string[], family: PluginFamily): readonly string[] {
  return names.map((name) => {
    // The path of this package's own library stands for the one that suits, as its name does.
    const own = name === BUILTIN || PLUGIN_FAMILIES.some((other) => builtinLibrary(other) === resolve(name))
    const path = own ? builtinLibrary(family) : resolve(name)
    if (own) checkBuilt(family)
    const made = familyOfPlugins(path, checkPluginLibrary(path))
    if (made !== undefined && made !== family) {
      throw new TrtError(
        'INVALID_PLUGIN',
        `the plugin library ${path} was made for ${SDK_FAMILY_TITLES[made]}, and the TensorRT here is ${SDK_FAMILY_TITLES[family]}`,
        { hint: `compile it against the headers of ${SDK_FAMILY_TITLES[family]}` },
      )
    }
    return path
  })
}

/** The family of TensorRT that is here, the newest first; that of TensorRT 10 where there is none. */
export async function installedFamily(): Promise<PluginFamily> {
  const { sdk } = await findTensorRT({ families: ['trt11', 'trt10'] })
  return (sdk?.family as PluginFamily | undefined) ?? 'trt10'
}

/** @throws {TrtError} `FILE_NOT_FOUND` where this package's own library is not built */
export function checkBuilt(kind: BuiltinKind): void {
  const path = builtinLibrary(kind)
  if (existsSync(path)) return
  throw new TrtError('FILE_NOT_FOUND', `the plugin library of this package is not built: no ${path}`, {
    hint: `node "${join(ROOT, 'plugins', 'build.mjs')}" ${TARGETS[kind]}`,
  })
}

/**
 * Judges a plugin library by its ELF headers.
 *
 * @returns what it needs and exports, where the file tells
 * @throws {TrtError} `FILE_NOT_FOUND`; `INVALID_PLUGIN` where it is no library for this machine, or exports no creators
 */
export function checkPluginLibrary(path: string): LibraryLinks | undefined {
  const check = checkLibrary(path)
  if (!check.ok) {
    if (check.problem === undefined) throw new TrtError('FILE_NOT_FOUND', `no plugin library ${path}`)
    throw new TrtError('INVALID_PLUGIN', `the plugin library ${path} is ${check.problem}`)
  }
  const links = readLibraryLinks(path)
  if (links === undefined) return undefined
  if (!links.exports.has('getCreators') && !links.exports.has('getPluginCreators')) {
    throw new TrtError(
      'INVALID_PLUGIN',
      `the plugin library ${path} exports neither getCreators nor getPluginCreators`,
      {
        hint: 'TensorRT\'s registry asks a library for its creators by: extern "C" nvinfer1::IPluginCreatorInterface* const* getCreators(int32_t& count)',
      },
    )
  }
  return links
}

/**
 * The family that a plugin library was made for, by the TensorRT that it needs; undefined where it needs none, since
 * plugins need not be linked with it.
 *
 * @throws {TrtError} `INVALID_PLUGIN` where that is a TensorRT that there is no addon for
 */
export function familyOfPlugins(path: string, links: LibraryLinks | undefined): PluginFamily | undefined {
  if (path === builtinLibrary('trt11')) return 'trt11'
  if (path === builtinLibrary('trt10') || path === builtinLibrary('emulated')) return 'trt10'
  const [, major] =
    links?.needed.map((name) => /^libnvinfer\.so\.(\d+)/.exec(name)).find((match) => match !== null) ?? []
  if (major === undefined || major === '10' || major === '11') return major === undefined ? undefined : `trt${major}`
  throw new TrtError(
    'INVALID_PLUGIN',
    `the plugin library ${path} was made for TensorRT ${major} (libnvinfer.so.${major})`,
    {
      hint: 'compile it against the headers of TensorRT 10 or 11',
    },
  )
}
