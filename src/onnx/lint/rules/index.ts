import type { Rule } from '../rule.js'
import { constantInput } from './constant-input.js'
import { dynamicInput } from './dynamic-input.js'
import { halfOverflow } from './half-overflow.js'
import { loopCondition } from './loop-condition.js'
import { lowType } from './low-type.js'
import { nestedControlFlow } from './nested-control-flow.js'
import { oldOpset } from './old-opset.js'
import { opLimit } from './op-limit.js'
import { preluSlope } from './prelu-slope.js'
import { quantization } from './quantization.js'
import { tripCount } from './trip-count.js'
import { unsupportedOp } from './unsupported-op.js'
import { unsupportedType } from './unsupported-type.js'
import { wideInt64 } from './wide-int64.js'

/** Every rule, in the order of their findings. */
export const RULES: readonly Rule[] = [
  oldOpset,
  nestedControlFlow,
  loopCondition,
  tripCount,
  unsupportedOp,
  unsupportedType,
  lowType,
  quantization,
  preluSlope,
  opLimit,
  constantInput,
  dynamicInput,
  halfOverflow,
  wideInt64,
]
