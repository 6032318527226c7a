import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TrtError } from '../errors.js'
import { checkLibrary } from './check-library.js'
import { SDK_FAMILIES, SDK_FAMILY_TITLES, SDK_SONAMES, type SdkFamily, sdkInstallCommand } from './family.js'
import { libraryVersion } from './library-version.js'
import { type Place, placesToLook } from './places.js'

/** A TensorRT that was found. Paths are absolute, and lead to 64-bit libraries for this processor. */
export interface Sdk {
  readonly family: SdkFamily
  /** As far as file names and package metadata tell it, e.g. `'1.7.1.116'` or `'10.15.1'`. */
  readonly version?: string
  readonly nvinfer: string
  /** Absent where only the runtime is installed. */
  readonly onnxParser?: string
  /** The lean runtime, for version-compatible plans. */
  readonly lean?: string
  /** What led to it: an option, a variable, a convention. */
  readonly source: string
}

/** A place that was looked in. */
export interface TriedPlace {
  readonly source: string
  /** A folder, several joined by `:`, or empty for a variable that is not set. */
  readonly path: string
  /** `'unusable'`: the library is there, and this process cannot load it. */
  readonly outcome: 'found' | 'missing' | 'unusable'
  /** What was found, what was missing, or why it is unusable. */
  readonly detail: string
}

/** What to look for. */
export interface FindOptions {
  /** The families that will do, the preferred first. */
  readonly families: readonly SdkFamily[]
  /** A folder that holds TensorRT, before every other place. */
  readonly root?: string | undefined
}

/** What was found, and everywhere that was looked. */
export interface FindResult {
  readonly sdk?: Sdk
  readonly tried: readonly TriedPlace[]
}

const found = new Map<string, FindResult>()

/**
 * Looks for the libraries of some families, in the order that `places.ts` gives, and stops at the first place that has
 * one: what the user named is not passed by for a family that is preferred, but is elsewhere. Loads nothing, writes
 * nothing. Takes a few milliseconds, and up to a quarter of a second where it gets as far as asking Python, which the
 * event loop does not wait for. A hit is remembered for as long as the file and the environment variables stay; a miss is
 * not, so that an install in between is seen.
 */
export async function findTensorRT({ families, root }: FindOptions): Promise<FindResult> {
  const key = JSON.stringify([families, root, environmentKey()])
  const known = found.get(key)
  if (known?.sdk && existsSync(known.sdk.nvinfer)) return known
  const tried: TriedPlace[] = []
  for await (const place of placesToLook(root)) {
    const look = lookIn(place, families)
    tried.push(look.tried)
    const [sdk] = look.sdks
    if (sdk) {
      const result = { sdk, tried }
      found.set(key, result)
      return result
    }
  }
  return { tried }
}

/** Every TensorRT of every family, in every place, the preferred first; each library once. */
export async function findAllTensorRT(): Promise<{
  readonly sdks: readonly Sdk[]
  readonly tried: readonly TriedPlace[]
}> {
  const byLibrary = new Map<string, Sdk>()
  const tried: TriedPlace[] = []
  for await (const place of placesToLook(undefined)) {
    const look = lookIn(place, SDK_FAMILIES)
    for (const sdk of look.sdks) {
      const real = realpathSync(sdk.nvinfer)
      if (!byLibrary.has(real)) byLibrary.set(real, sdk)
    }
    tried.push(look.tried)
  }
  const sdks = [...byLibrary.values()]
  return { sdks: SDK_FAMILIES.flatMap((family) => sdks.filter((sdk) => sdk.family === family)), tried }
}

/** The error where none of `families` is there: where it was looked for, and how to get the first. */
export function tensorRTNotFoundError(families: readonly SdkFamily[], tried: readonly TriedPlace[]): TrtError {
  const [preferred = 'trt11'] = families
  const titles = families.map((family) => SDK_FAMILY_TITLES[family]).join(' or ')
  const sonames = families.map((family) => SDK_SONAMES[family].nvinfer).join(' or ')
  const lines = tried.map(
    ({ source, path, detail }) => `  ${source}${path && path !== source ? ` ${path}` : ''}: ${detail}`,
  )
  return new TrtError(
    'TENSORRT_NOT_FOUND',
    `no ${titles} library (${sonames}) was found. Looked in:\n${lines.join('\n')}`,
    { hint: `${sdkInstallCommand(preferred)}, or set TENSORRT_ROOT to the folder of a ${titles} that is installed` },
  )
}

function environmentKey(): readonly (string | undefined)[] {
  const { env } = process
  return [
    env.TENSORRT_ROOT,
    env.TRT_ROOT,
    env.LD_LIBRARY_PATH,
    env.VIRTUAL_ENV,
    env.CONDA_PREFIX,
    env.TENSORRT_NODE_CACHE,
    env.XDG_CACHE_HOME,
    env.PATH,
  ]
}

/** Where a library stands in a place, or why none does. */
function locate(place: Place, soname: string): { readonly path?: string; readonly problem?: string } {
  const listed = place.files?.get(soname)
  let problem: string | undefined
  for (const path of listed ? [listed] : place.dirs.map((dir) => join(dir, soname))) {
    const check = checkLibrary(path)
    if (check.ok) return { path }
    if (check.problem && !problem) problem = `${path} is ${check.problem}`
  }
  return problem ? { problem } : {}
}

/** What a place has of some families, the preferred first, and one line that says so. */
function lookIn(
  place: Place,
  families: readonly SdkFamily[],
): { readonly sdks: readonly Sdk[]; readonly tried: TriedPlace } {
  const looks = families.map((family) => lookFor(family, place))
  return { sdks: looks.flatMap(({ sdk }) => sdk ?? []), tried: summarize(looks.map(({ tried }) => tried)) }
}

function lookFor(family: SdkFamily, place: Place): { readonly sdk?: Sdk; readonly tried: TriedPlace } {
  const { source, path } = place
  const sonames = SDK_SONAMES[family]
  const nvinfer = locate(place, sonames.nvinfer)
  if (!nvinfer.path) {
    if (nvinfer.problem) return { tried: { source, path, outcome: 'unusable', detail: nvinfer.problem } }
    const detail = path ? `no ${sonames.nvinfer}` : 'not set'
    return { tried: { source, path, outcome: 'missing', detail } }
  }
  // What stands beside it belongs to it, rather than what stands in another folder of the same place.
  const beside = { ...place, dirs: [dirname(nvinfer.path), ...place.dirs] }
  const onnxParser = locate(beside, sonames.onnxParser)
  const lean = sonames.lean ? locate(beside, sonames.lean) : {}
  const version = libraryVersion(nvinfer.path)
  const sdk: Sdk = {
    family,
    ...(version ? { version } : {}),
    nvinfer: nvinfer.path,
    ...(onnxParser.path ? { onnxParser: onnxParser.path } : {}),
    ...(lean.path ? { lean: lean.path } : {}),
    source,
  }
  const parser = onnxParser.path ? '' : `, but ${onnxParser.problem ?? `no ${sonames.onnxParser}`}: cannot build`
  const detail = `${SDK_FAMILY_TITLES[family]}${version ? ` (${version})` : ''}${parser}`
  return { sdk, tried: { source, path, outcome: 'found', detail } }
}

/** One line for a place that was looked in for several families. */
function summarize(looks: readonly TriedPlace[]): TriedPlace {
  const [first] = looks as [TriedPlace, ...TriedPlace[]]
  if (looks.length === 1) return first
  for (const outcome of ['found', 'unusable'] as const) {
    const matching = looks.filter((look) => look.outcome === outcome)
    if (matching.length > 0) return { ...first, outcome, detail: matching.map((look) => look.detail).join('; ') }
  }
  return { ...first, detail: first.path ? 'no TensorRT library' : 'not set' }
}
