import type { Command } from 'commander'
import { registerApply } from './apply.js'
import { registerDiff } from './diff.js'
import { registerLint } from './lint.js'
import { registerList } from './list.js'
import { registerRepair } from './repair.js'
import { registerShow } from './show.js'

/** `tensorrt-node surgeon MODEL …`, and `surgeon lint|repair|list|show|diff`. */
export function registerSurgeon(program: Command): void {
  const surgeon = program
    .command('surgeon')
    .description('Change ONNX models so that TensorRT takes them: apply passes, look inside, compare')
  registerApply(surgeon)
  registerLint(surgeon)
  registerRepair(surgeon)
  registerList(surgeon)
  registerShow(surgeon)
  registerDiff(surgeon)
}
