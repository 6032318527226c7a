import { type Command, Option } from 'commander'
import { TrtError } from '../../errors.js'
import { sdkCacheDir } from '../../sdk/cache-dir.js'
import { SDK_FAMILIES, type SdkFamily } from '../../sdk/family.js'
import { findAllTensorRT, findTensorRT, tensorRTNotFoundError } from '../../sdk/find-tensorrt.js'
import {
  checkPackageName,
  installSdk,
  listSdkPackages,
  removeSdk,
  type SdkPackageState,
  type SdkProgress,
} from '../../sdk/install-sdk.js'
import { SDK_PACKAGES } from '../../sdk/packages.js'
import { define, UsageError } from '../command.js'
import { formatBytes, formatDuration } from '../format.js'
import type { CliIo } from '../io.js'
import { type LogFlags, makeLogger, verboseOption } from '../logging.js'
import { ProgressLine } from '../progress.js'

const PLACES_HELP = `
TensorRT is looked for in, in this order: TENSORRT_ROOT, TRT_ROOT, the dynamic
loader's folders (LD_LIBRARY_PATH, ldconfig), /usr/local and /opt, the active
Python's packages, and what \`sdk install\` installed, which goes to
$TENSORRT_NODE_CACHE, else to tensorrt-node in the user's cache folder.`

/** `tensorrt-node sdk list|install|where|remove`. */
export function registerSdk(program: Command): void {
  const sdk = program.command('sdk').description('Find, install and remove TensorRT').addHelpText('after', PLACES_HELP)
  const list = sdk.command('list').description('What can be installed, and what is')
  define(list, [['sdk list', 'names, versions, sizes, licences']], listPackages)

  const install = sdk
    .command('install')
    .description('Install a package of TensorRT through pip, cargo or mvn, checked against pinned hashes')
    .argument('<name>', Object.keys(SDK_PACKAGES).join(', '))
    .addOption(new Option('--force', 'fetch it anew where it is there already').default(false, 'off'))
    .addOption(verboseOption())
    .addHelpText('after', '\nTo install a package is to agree to its licence, which is named before it is fetched.')
  define(
    install,
    [
      ['sdk install rtx', 'TensorRT-RTX, which builds engines without a GPU'],
      ['sdk install headers', 'what the native addon is compiled with'],
    ],
    installPackage,
  )

  const where = sdk
    .command('where')
    .description('Where TensorRT is; exit code 1 where there is none')
    .argument('[family]', SDK_FAMILIES.join(', '))
  define(where, [['sdk where rtx', 'the path of the library']], printWhere)

  const remove = sdk.command('remove').description('Remove what `sdk install` installed').argument('<name>')
  define(remove, [['sdk remove trt10', 'frees 887 MiB']], removePackage)
}

async function listPackages(io: CliIo): Promise<undefined> {
  const packages = listSdkPackages()
  io.table(
    packages.map((item) => [
      item.installed ? io.color.good('✓') : item.dir ? io.color.warning('!') : io.color.dim('–'),
      item.installed ? io.color.bold(item.name) : item.name,
      item.version,
      sizeText(item.downloadBytes),
      sizeText(item.installedBytes),
      stateOf(item),
    ]),
    { header: ['', 'name', 'version', 'fetch', 'disk', 'what'], right: [3, 4] },
  )
  io.print()
  for (const [licence, names] of groupByLicence(packages)) io.print(`  ${licence}:\n    ${names.join(', ')}`)
  io.print(`  Installed packages go to:\n    ${sdkCacheDir()}`)
  io.result({ cacheDir: sdkCacheDir(), packages })
  return undefined
}

function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? '?' : formatBytes(bytes)
}

function stateOf({ title, installedVersion, damaged, name }: SdkPackageState): string {
  if (installedVersion !== undefined) return `${installedVersion} is there: npx tensorrt-node sdk install ${name}`
  if (damaged.length > 0) return `damaged (${damaged[0]}): npx tensorrt-node sdk install ${name}`
  return title
}

function groupByLicence(packages: readonly SdkPackageState[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const { licence, name } of packages) names.set(licence, [...(names.get(licence) ?? []), name])
  return names
}

async function installPackage(io: CliIo, name: string, flags: LogFlags & { force: boolean }): Promise<undefined> {
  const { title, version, licence, downloadBytes, installedBytes } = SDK_PACKAGES[checkPackageName(name)]
  const state = listSdkPackages().find((item) => item.name === name)
  if (flags.force || !state?.installed) {
    io.note(`${name} ${version} – ${title}`)
    io.note(`  ${sizeText(downloadBytes)} to fetch, ${sizeText(installedBytes)} on disk`)
    io.note(`  licence: ${licence}`)
  }
  const started = performance.now()
  const progress = state?.installed && !flags.force ? undefined : new ProgressLine(io, `installing ${name}`)
  try {
    const { manifest, dir, alreadyInstalled } = await installSdk(checkPackageName(name), {
      force: flags.force,
      signal: io.signal,
      logger: makeLogger(io, flags.verbose),
      onProgress: (update) => progress?.update(toSteps(update)),
    })
    progress?.stop()
    const how = alreadyInstalled
      ? 'is installed already'
      : `installed in ${formatDuration(performance.now() - started)}`
    io.print(`${io.color.good('✓')} ${io.color.bold(`${name} ${manifest.version}`)} ${how}`)
    io.print(`  ${dir}`)
    const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0)
    io.result({ name, version: manifest.version, licence: manifest.licence, dir, bytes, alreadyInstalled })
  } finally {
    progress?.stop()
  }
  return undefined
}

/** As steps of a mebibyte, which a progress line can count. */
function toSteps({ phase, bytes, totalBytes }: SdkProgress) {
  const [step, steps] = [bytes, totalBytes].map((value) => Math.floor(value / 2 ** 20)) as [number, number]
  return { phase: `${phase}, MiB`, parents: [], step, steps, elapsedMs: 0 }
}

async function printWhere(io: CliIo, family: string | undefined): Promise<number | undefined> {
  if (family !== undefined && !isFamily(family)) {
    throw new UsageError(`unknown family '${family}'`, `one of ${SDK_FAMILIES.join(', ')}`)
  }
  const { sdks, tried } = family ? await findOne(family) : await findAllTensorRT()
  const [sdk] = sdks
  if (sdk === undefined) {
    if (family) throw tensorRTNotFoundError([family], tried)
    throw new TrtError('TENSORRT_NOT_FOUND', 'no TensorRT of any family was found', {
      hint: 'npx tensorrt-node sdk install rtx; npx tensorrt-node doctor lists every place tried',
    })
  }
  io.print(sdk.nvinfer)
  io.result({ ...sdk, tried })
  return undefined
}

async function findOne(family: SdkFamily) {
  const { sdk, tried } = await findTensorRT({ families: [family] })
  return { sdks: sdk ? [sdk] : [], tried }
}

function isFamily(name: string): name is SdkFamily {
  return SDK_FAMILIES.some((family) => family === name)
}

async function removePackage(io: CliIo, name: string): Promise<undefined> {
  const removed = await removeSdk(checkPackageName(name))
  io.print(removed ? `${io.color.good('✓')} removed ${name}` : `${name} is not installed`)
  io.result({ name, removed })
  return undefined
}
