/**
 * What this machine can build and run, and what stands in the way of the rest: the data behind `tensorrt-node doctor`.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ADDON_FAMILIES, type AddonFamily, type CudaInfo, cudaInfo, loadAddon } from '../backends/tensorrt/addon.js'
import { messageOf, TrtError } from '../errors.js'
import { sdkCacheDir } from '../sdk/cache-dir.js'
import { CLIENT_HINTS, findClient, probeTool, type Tool } from '../sdk/clients.js'
import { SDK_FAMILY_TITLES, type SdkFamily, sdkInstallCommand } from '../sdk/family.js'
import { findAllTensorRT, type Sdk, type TriedPlace } from '../sdk/find-tensorrt.js'
import { listSdkPackages, type SdkPackageState } from '../sdk/install-sdk.js'

/** Something that is here and works, or why not. */
export interface Finding {
  readonly ok: boolean
  /** What is here, or what is wrong. */
  readonly detail: string
  /** What puts it right, each a command where there is one. */
  readonly fixes: readonly string[]
}

/** A program that some part of the set-up runs. */
export interface ToolState extends Finding {
  readonly name: string
  readonly neededFor: string
}

/** Whether a backend can build engines here, and run them. */
export interface Ability {
  /** `'onnxruntime'` is the CPU backend; the others are families of TensorRT. */
  readonly name: AddonFamily | 'onnxruntime'
  readonly title: string
  readonly build: Finding
  readonly run: Finding
}

/** Everything that {@link collectDoctorReport} finds out. */
export interface DoctorReport {
  /** Whether something can build here, and run what it built. */
  readonly ok: boolean
  readonly system: { readonly node: string; readonly platform: string; readonly arch: string }
  readonly gpu: CudaInfo
  readonly addons: readonly (Finding & { readonly family: AddonFamily })[]
  readonly onnxruntime: Finding
  readonly sdks: readonly Sdk[]
  readonly tried: readonly TriedPlace[]
  readonly cache: { readonly dir: string; readonly packages: readonly SdkPackageState[] }
  readonly tools: readonly ToolState[]
  readonly abilities: readonly Ability[]
}

/** Looks at everything, and changes nothing. Takes a second or two; never throws for what is missing. */
export async function collectDoctorReport(): Promise<DoctorReport> {
  const { sdks, tried } = await findAllTensorRT()
  const [gpu, onnxruntime, tools] = await Promise.all([cudaInfo(), probeOnnxruntime(), probeTools()])
  const packages = listSdkPackages()
  const addons = ADDON_FAMILIES.map((family) => probeAddon(family, packages))
  const abilities = [
    ...addons.map((addon) => tensorRTAbility(addon, sdks, probeGpu(gpu, addons))),
    { name: 'onnxruntime', title: 'CPU (onnxruntime-node)', build: onnxruntime, run: onnxruntime } as const,
  ]
  return {
    ok: abilities.some(({ build, run }) => build.ok && run.ok),
    system: { node: process.versions.node, platform: process.platform, arch: process.arch },
    gpu,
    addons,
    onnxruntime,
    sdks,
    tried,
    cache: { dir: sdkCacheDir(), packages },
    tools,
    abilities,
  }
}

function good(detail: string): Finding {
  return { ok: true, detail, fixes: [] }
}

function bad(detail: string, fix: string): Finding {
  return { ok: false, detail, fixes: [fix] }
}

function broken(error: unknown): Finding {
  const fix = error instanceof TrtError ? error.hint : undefined
  return { ok: false, detail: messageOf(error), fixes: fix ? [fix] : [] }
}

function probeAddon(
  family: AddonFamily,
  packages: readonly SdkPackageState[],
): Finding & { readonly family: AddonFamily } {
  try {
    loadAddon(family)
    return { family, ...good(SDK_FAMILY_TITLES[family]) }
  } catch (error) {
    const { detail, fixes } = broken(error)
    const headers = packages.some(({ name, installed }) => name === 'headers' && installed)
    return {
      family,
      ok: false,
      detail,
      fixes: [...(headers ? [] : ['npx tensorrt-node sdk install headers']), ...fixes],
    }
  }
}

/** In a process of its own: loading onnxruntime-node changes globals, and a damaged one may crash. */
async function probeOnnxruntime(): Promise<Finding> {
  const script = `
    import { requireOrt } from ${JSON.stringify(new URL('../ort/ort-session.js', import.meta.url))}
    const say = (finding) => console.log(JSON.stringify(finding))
    try {
      say({ ok: true, detail: 'onnxruntime-node ' + requireOrt().env.versions.common, fixes: [] })
    } catch ({ message, hint }) {
      say({ ok: false, detail: message, fixes: [hint] })
    }`
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Finding
  } catch (error) {
    return broken(error)
  }
}

async function probeTools(): Promise<ToolState[]> {
  const state = (name: string, neededFor: string, tool: Tool | undefined, fix: string): ToolState => ({
    name,
    neededFor,
    ...(tool ? good(tool.version) : bad('not found', fix)),
  })
  const compiler = process.env.CXX ?? 'c++'
  return Promise.all([
    findClient('pip').then((tool) => state('pip', 'sdk install rtx, trt, lean', tool, CLIENT_HINTS.pip)),
    findClient('cargo').then((tool) => state('cargo', 'sdk install headers', tool, CLIENT_HINTS.cargo)),
    findClient('mvn').then((tool) => state('mvn', 'sdk install trt10, trt8', tool, CLIENT_HINTS.mvn)),
    probeTool(['cmake']).then((tool) => state('cmake', 'building the addons', tool, aptHint('cmake'))),
    probeTool([compiler]).then((tool) => state(compiler, 'building the addons', tool, aptHint('g++'))),
  ])
}

function aptHint(name: string): string {
  return `sudo apt install ${name} (or the like for this system)`
}

function tensorRTAbility(
  addon: Finding & { readonly family: AddonFamily },
  sdks: readonly Sdk[],
  gpu: Finding,
): Ability {
  const { family } = addon
  const sdk = probeSdk(family, sdks)
  const parser = sdk.found && !sdk.found.onnxParser ? [bad(`no ONNX parser beside it`, sdkInstallCommand(family))] : []
  // TensorRT-RTX builds on the CPU; the others time kernels on the GPU that they build for.
  const builder = family === 'rtx' ? good('needs no GPU') : gpu
  return {
    name: family,
    title: SDK_FAMILY_TITLES[family],
    build: allOf([addon, sdk, ...parser, builder]),
    run: allOf([addon, sdk, gpu]),
  }
}

/** What is good where all is, by the last of them; else everything that is not. */
function allOf(findings: readonly Finding[]): Finding {
  const faults = findings.filter(({ ok }) => !ok)
  if (faults.length === 0) return good(findings.at(-1)?.detail ?? '')
  const details = faults.map(({ detail }) => detail.split('\n')[0])
  return { ok: false, detail: details.join(', '), fixes: faults.flatMap(({ fixes }) => fixes) }
}

function probeSdk(family: SdkFamily, sdks: readonly Sdk[]): Finding & { readonly found?: Sdk } {
  const found = sdks.find((sdk) => sdk.family === family)
  if (found) return { ...good(found.nvinfer), found }
  return bad('no library', sdkInstallCommand(family))
}

/** Only an addon can ask the driver. */
function probeGpu({ driverVersion, devices }: CudaInfo, addons: readonly Finding[]): Finding {
  const [device] = devices
  if (device) return good(`on ${device.name} (compute capability ${device.computeCapability})`)
  if (!addons.some(({ ok }) => ok)) return { ok: false, detail: 'no addon to ask for a GPU', fixes: [] }
  return bad(
    driverVersion > 0 ? 'no NVIDIA GPU' : 'no NVIDIA driver',
    'Use a machine with an NVIDIA GPU and its driver; a container needs --gpus all',
  )
}
