import { existsSync } from 'node:fs'
import * as trt from 'tensorrt-node'
import { beforeEach } from 'vitest'
import { findTensorRT } from '#dist/sdk/find-tensorrt.js'
import { OCR } from '../../helpers/engine.ts'

/** Skips the file's tests, with the reason, where real TensorRT-RTX builds are not possible. */
export function needsRtx(): void {
  beforeEach(async (ctx) => {
    if ((await findTensorRT({ families: ['rtx'] })).sdk === undefined) {
      ctx.skip('TensorRT-RTX is not installed: npx tensorrt-node sdk install rtx')
    }
    if (!existsSync('build/Release/tensorrt_node_rtx.node')) ctx.skip('the addon is not built: npm run build:native')
  })
}

/** A build of the text detector, for one GPU generation and on a thread, where the options do not say otherwise. */
export function buildDetector(options: Partial<trt.BuildOptions> = {}): Promise<trt.BuildResult> {
  return trt.buildEngine({
    onnx: OCR.detection,
    shapes: { x: [1, 3, 320, 320] },
    backend: 'tensorrt-rtx',
    target: { computeCapabilities: ['8.9'] },
    isolation: 'thread',
    ...options,
  })
}
