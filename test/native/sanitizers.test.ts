/**
 * The addon for TensorRT 10 and the doubles, built with AddressSanitizer, LeakSanitizer and UBSan: the same runs as in
 * runtime, failures, lifecycle and stress. Then sources with one fault each, which those runs must notice: else they prove nothing.
 */
import { describe, expect, it } from 'vitest'
import {
  DEVICE_TENSORS,
  expectDeviceTensors,
  expectFailures,
  expectGraphs,
  expectInference,
  expectInsight,
  expectLifecycle,
  expectStress,
} from './helpers/expectations.ts'
import { parsed } from './helpers/run-fixture.ts'
import { type SanitizedPackage, sanitizedPackage } from './helpers/sanitized-package.ts'

// Late streams, so that whoever does not wait for them is certainly too early.
const LATE = { TRT_DOUBLE_MAX_DELAY_US: '3000' }

const sanitized = sanitizedPackage('address')

describe('AddressSanitizer, LeakSanitizer and UBSan', () => {
  it('find nothing while it infers', async (context) => {
    expectInference(parsed('infer', await sanitized(context).run('infer', { env: LATE })), 'trt10')
  })

  it('find nothing while every call fails in turn', async (context) => {
    expectFailures(parsed('failures', await sanitized(context).run('failures', { env: LATE })))
  })

  it('find nothing while it launches graphs', async (context) => {
    expectGraphs(parsed('graphs', await sanitized(context).run('graphs', { env: LATE })))
  })

  it('find nothing while tensors stay on the device', async (context) => {
    const { env, ...options } = DEVICE_TENSORS
    const outcome = await sanitized(context).run('device-tensors', { ...options, env: { ...LATE, ...env } })
    expectDeviceTensors(parsed('device-tensors', outcome))
  })

  it('find nothing while layers are timed and weights exchanged', async (context) => {
    expectInsight(parsed('insight', await sanitized(context).run('insight', { env: LATE })))
  })

  it('find nothing while engines, workers and calls end', async (context) => {
    const options = { execArgv: ['--expose-gc'], args: [3] }
    expectLifecycle(parsed('lifecycle', await sanitized(context).run('lifecycle', options)))
  })

  it('find nothing in thousands of calls, from the main thread and two workers', async (context) => {
    const options = { execArgv: ['--expose-gc'], args: [1000, 2] }
    expectStress(parsed('stress', await sanitized(context).run('stress', options)), 1000)
  })
})

/** The wait at the end of a run, by which it also learns that its work failed. */
const LAST_WAIT = '  stream_.synchronize();\n  drain.synchronized();\n  call.times = timer_.times();\n'

/** One fault: every text must be in the file, once. `graphs`: it is one of CUDA graphs, which the other runs have none of. */
const FAULTS: readonly {
  fault: string
  file: string
  changes: readonly (readonly [string, string])[]
  graphs?: boolean
}[] = [
  {
    fault: 'a run that does not wait for its stream',
    file: 'engine/context_runner.cc',
    changes: [
      ['    if (stream_ != nullptr) stream_->drain();\n', ''],
      [LAST_WAIT, ''],
    ],
  },
  {
    fault: 'an error of the last copy that nobody asks for',
    file: 'engine/context_runner.cc',
    changes: [[LAST_WAIT, '']],
  },
  {
    fault: 'inputs that are copied after the engine was started',
    file: 'engine/context_runner.cc',
    changes: [
      ['  copyIn(call);\n', ''],
      ['  compute(bound, lane);\n', '  compute(bound, lane);\n  copyIn(call);\n'],
    ],
  },
  {
    fault: 'shapes that are taken for those of the run before',
    file: 'engine/bound_context.cc',
    changes: [
      [
        '    if (areEqual(input.shape, call.inputShapes[index])) continue;',
        '    if (input.shape.nbDims >= 0) continue;',
      ],
    ],
  },
  {
    fault: 'graphs that share the context which takes all shapes',
    file: 'engine/context_runner.cc',
    changes: [['*context_ : *lane->bound;', '*context_ : *context_;']],
    graphs: true,
  },
  {
    fault: 'a copy of four bytes too many',
    file: 'engine/context_runner.cc',
    changes: [['(to.data(), output.buffer.get(), bytes,', '(to.data(), output.buffer.get(), bytes + 4,']],
  },
  {
    fault: 'a profile that is never set',
    file: 'engine/bound_context.cc',
    changes: [['  if (profile == profile_) return;', '  if (profile >= 0) return;']],
  },
  {
    fault: 'a thread without the CUDA context',
    file: 'engine/runtime.cc',
    changes: [['loaded->gpu_->context().makeCurrent();', '']],
  },
  {
    fault: 'a CUDA context that is never released',
    file: 'cuda/primary_context.cc',
    changes: [['cuda_.primaryContextRelease(device_);', '']],
  },
]

describe('a seeded fault is noticed', () => {
  it.for(FAULTS.map((fault) => [fault.fault, fault] as const))('%s', async ([, { file, changes, graphs }], context) => {
    const addon = sanitized(context)
    await addon.damaged(file, changes, () => expect(graphs ? graphSuite(addon) : wholeSuite(addon)).rejects.toThrow())
  })
})

async function graphSuite(addon: SanitizedPackage): Promise<void> {
  expectGraphs(parsed('graphs', await addon.run('graphs', { env: LATE })))
}

async function wholeSuite(addon: SanitizedPackage): Promise<void> {
  expectInference(parsed('infer', await addon.run('infer', { env: LATE })), 'trt10')
  expectFailures(parsed('failures', await addon.run('failures', { env: LATE })))
}
