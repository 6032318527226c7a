/**
 * The ABI families of TensorRT, and the names of their libraries.
 *
 * A family is what one addon binary can talk to: TensorRT keeps its ABI within a major version, and TensorRT-RTX has one
 * of its own. The number in a soname is that major version, so that a file's name says its family.
 */

/** `'rtx'` is TensorRT-RTX 1.x; the others are TensorRT 8.x, 10.x and 11.x. */
export type SdkFamily = 'rtx' | 'trt11' | 'trt10' | 'trt8'

/** Every family, the one to prefer first. */
export const SDK_FAMILIES: readonly SdkFamily[] = ['rtx', 'trt11', 'trt10', 'trt8']

/** The libraries of a family, by soname. */
export interface SdkSonames {
  readonly nvinfer: string
  readonly onnxParser: string
  /** TensorRT-RTX ships no lean runtime. */
  readonly lean?: string
}

function sonamesOfMajor(major: number): SdkSonames {
  return {
    nvinfer: `libnvinfer.so.${major}`,
    onnxParser: `libnvonnxparser.so.${major}`,
    lean: `libnvinfer_lean.so.${major}`,
  }
}

/** The sonames by family. */
export const SDK_SONAMES: Readonly<Record<SdkFamily, SdkSonames>> = {
  rtx: { nvinfer: 'libtensorrt_rtx.so.1', onnxParser: 'libtensorrt_onnxparser_rtx.so.1' },
  trt11: sonamesOfMajor(11),
  trt10: sonamesOfMajor(10),
  trt8: sonamesOfMajor(8),
}

/** What people call a family. */
export const SDK_FAMILY_TITLES: Readonly<Record<SdkFamily, string>> = {
  rtx: 'TensorRT-RTX 1.x',
  trt11: 'TensorRT 11.x',
  trt10: 'TensorRT 10.x',
  trt8: 'TensorRT 8.x',
}

const SDK_FAMILY_PACKAGES: Readonly<Record<SdkFamily, string>> = {
  rtx: 'rtx',
  trt11: 'trt',
  trt10: 'trt10',
  trt8: 'trt8',
}

/** The command that installs a family's libraries. */
export function sdkInstallCommand(family: SdkFamily): string {
  return `npx tensorrt-node sdk install ${SDK_FAMILY_PACKAGES[family]}`
}
