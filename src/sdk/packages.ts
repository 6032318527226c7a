/**
 * What `sdk install` can fetch, pinned: each name stands for one version, whose hash is known here.
 *
 * - Libraries come from PyPI as wheels (pip checks the hash before it unpacks), or from Maven Central, where NVIDIA's
 *   libraries of TensorRT 10 and 8 are whole; on PyPI those are placeholders that fetch from an index of NVIDIA's own,
 *   which not every machine reaches.
 * - Headers come from a Rust crate that carries them. Cargo checks the crate, and the digest here the headers in it.
 */

/** What there is to install. */
export type SdkPackageName = 'rtx' | 'headers' | 'lean' | 'trt' | 'trt10' | 'trt8'

/** Shared libraries from wheels on PyPI. */
export interface PipSource {
  readonly client: 'pip'
  /** As pip writes it: `name==version`. */
  readonly requirement: string
  /** One for each processor's wheel. */
  readonly sha256: readonly string[]
  /** A source package runs code of its own while it installs; only a placeholder needs that. */
  readonly onlyBinary: boolean
}

/** Headers from crates. */
export interface CargoSource {
  readonly client: 'cargo'
  readonly crates: readonly CrateSource[]
  /** Of everything that is taken from the crates: see `contentsDigest`. */
  readonly contentsSha256: string
}

/** A crate, and what to take of it. */
export interface CrateSource {
  readonly name: string
  readonly version: string
  /** The crates it depends on, by a version that satisfies it. They are replaced by empty ones, so as not to fetch them. */
  readonly dependencies: Readonly<Record<string, string>>
  /** Folders and files to take: where they stand in the crate, by where they shall stand. */
  readonly take: Readonly<Record<string, string>>
}

/** Shared libraries from a jar on Maven Central. */
export interface MavenSource {
  readonly client: 'mvn'
  readonly group: string
  readonly artifact: string
  readonly version: string
  readonly classifier: string
  readonly sha256: string
}

/** Something to install. */
export interface SdkPackage {
  readonly name: string
  readonly title: string
  /** The version of the TensorRT within. */
  readonly version: string
  readonly licence: string
  /** Of the linux-x64 package; absent where it is not known. */
  readonly downloadBytes?: number
  readonly installedBytes?: number
  /** `<platform>-<arch>` as Node names them; absent means any. */
  readonly platforms?: readonly string[]
  readonly source: PipSource | CargoSource | MavenSource
}

const NVIDIA_LICENCE = 'NVIDIA TensorRT Software License Agreement (proprietary)'

const HEADER_CRATE_DEPENDENCIES = {
  autocxx: '0.30.0',
  'autocxx-build': '0.30.0',
  bindgen: '0.72.0',
  cc: '1.0.0',
  cxx: '1.0.0',
  regex: '1.0.0',
}

/** The packages by name, in the order in which people meet them. */
export const SDK_PACKAGES: Readonly<Record<SdkPackageName, SdkPackage & { readonly name: SdkPackageName }>> = {
  rtx: {
    name: 'rtx',
    title: 'TensorRT-RTX (builds on CPU)',
    version: '1.7.1.116',
    licence: NVIDIA_LICENCE,
    downloadBytes: 95_153_708,
    installedBytes: 238_158_193,
    platforms: ['linux-x64', 'linux-arm64'],
    source: {
      client: 'pip',
      requirement: 'tensorrt-rtx-cu13-libs==1.7.1.116',
      sha256: [
        'e3fd45fed001240d63304e77a2d4006319b839994237cb294b6e7ad72acaabcd',
        'ec8b6cb95a8ea61e31d544dbc5039d35219b311999f92c518a3889aaae74359c',
      ],
      onlyBinary: true,
    },
  },
  headers: {
    name: 'headers',
    title: 'headers for the native addon',
    version: '1.7+10.16+11.4',
    licence: 'Apache-2.0',
    downloadBytes: 1_551_778,
    installedBytes: 2_811_105,
    source: {
      client: 'cargo',
      crates: [
        {
          name: 'trtx-sys',
          version: '0.9.1',
          dependencies: { ...HEADER_CRATE_DEPENDENCIES, bitflags: '2.13.1' },
          take: {
            'rtx-1.7': 'TensorRT-Headers/TRT-RTX-1.7',
            'trt11-11.4': 'TensorRT-Headers/TRT-Enterprise-11.4',
            'cuda/cuda_runtime_api.h': 'TensorRT-Headers/cuda_runtime_api.h',
          },
        },
        {
          name: 'trtx-sys',
          version: '0.5.0',
          dependencies: HEADER_CRATE_DEPENDENCIES,
          take: { 'trt10-10.16': 'TensorRT-Headers/TRT-Enterprise-10.16' },
        },
      ],
      contentsSha256: 'e2315a5aac9dd341bd8fe7e492881080f1b4f88b40d56817a52ff251450e3261',
    },
  },
  trt10: {
    name: 'trt10',
    title: 'TensorRT 10',
    version: '10.15.1',
    licence: NVIDIA_LICENCE,
    downloadBytes: 533_640_349,
    installedBytes: 929_724_872,
    platforms: ['linux-x64'],
    source: {
      client: 'mvn',
      group: 'org.bytedeco',
      artifact: 'tensorrt',
      version: '10.15-1.5.13',
      classifier: 'linux-x86_64-redist',
      sha256: '8543a6bda95c5d42141d409e1b74024b444e96334a3815d53997cc4ec3cfce83',
    },
  },
  trt8: {
    name: 'trt8',
    title: 'TensorRT 8',
    version: '8.6.1',
    licence: NVIDIA_LICENCE,
    downloadBytes: 824_742_093,
    installedBytes: 1_284_250_872,
    platforms: ['linux-x64'],
    source: {
      client: 'mvn',
      group: 'org.bytedeco',
      artifact: 'tensorrt',
      version: '8.6-1.5.10',
      classifier: 'linux-x86_64-redist',
      sha256: '8694feefe1b23d079a23527e3a65ca1dead18fccedfe2afa96651174a903b379',
    },
  },
  trt: {
    name: 'trt',
    title: "TensorRT 11 (NVIDIA's index)",
    version: '11.4.0.106',
    licence: NVIDIA_LICENCE,
    platforms: ['linux-x64', 'linux-arm64'],
    source: {
      client: 'pip',
      requirement: 'tensorrt-cu13-libs==11.4.0.106',
      // Of the placeholder. The wheel that it fetches is checked by the placeholder against its index's own hash.
      sha256: ['fc29af15a9bb5489567a58a98a56d457de64c16ab3c8ea010ef21447ff29bbea'],
      onlyBinary: false,
    },
  },
  lean: {
    name: 'lean',
    title: 'TensorRT 11, lean runtime',
    version: '11.4.0.106',
    licence: NVIDIA_LICENCE,
    downloadBytes: 44_375_636,
    installedBytes: 105_887_529,
    platforms: ['linux-x64', 'linux-arm64'],
    source: {
      client: 'pip',
      requirement: 'tensorrt-lean-cu13-libs==11.4.0.106',
      sha256: [
        'e022b8d0e21f19258657aec6760e1de8b454ed176f76217e3f7ec2036c5a9410',
        '2b22174a7056f341efeffb2025aa759c870c438ebf45a8821e88f5d95d165d1f',
      ],
      onlyBinary: true,
    },
  },
}

/** The package as its client names it, e.g. `'PyPI tensorrt-rtx-cu13-libs==1.7.1.116'`. */
export function originOf({ source }: SdkPackage): string {
  switch (source.client) {
    case 'pip':
      return `PyPI ${source.requirement}`
    case 'cargo':
      return source.crates.map(({ name, version }) => `crate ${name} ${version}`).join(', ')
    case 'mvn':
      return `Maven ${source.group}:${source.artifact}:${source.version}:${source.classifier}`
  }
}
