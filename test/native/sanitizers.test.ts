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
import { type Changes, type SanitizedPackage, sanitizedPackage } from './helpers/sanitized-package.ts'

// Late streams, so that whoever does not wait for them is certainly too early.
const LATE = { TRT_DOUBLE_MAX_DELAY_US: '3000' }

const sanitized = sanitizedPackage('address')

describe('AddressSanitizer, LeakSanitizer and UBSan', () => {
  it('find nothing while it infers', async (context) => {
    await infers(sanitized(context), LATE)
  })

  it('find nothing while every call fails in turn', async (context) => {
    expectFailures(parsed('failures', await sanitized(context).run('failures', { env: LATE })))
  })

  it('find nothing while it launches graphs', async (context) => {
    await launchesGraphs(sanitized(context), LATE)
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

/**
 * Sources that have all faults, each asleep until the environment names it: one build instead of one a fault. Every text
 * must be in its file, once.
 */
const SEEDED: Changes = {
  'engine/context_runner.cc': [
    ['if (stream_ != nullptr) stream_->drain();', 'if (stream_ != nullptr && !seeded("no wait")) stream_->drain();'],
    [LAST_WAIT, `  if (!seeded("no wait") && !seeded("no last wait")) {\n${LAST_WAIT}  }\n`],
    ['  copyIn(call);\n', '  if (!seeded("late inputs")) copyIn(call);\n'],
    ['  compute(bound, lane);\n', '  compute(bound, lane);\n  if (seeded("late inputs")) copyIn(call);\n'],
    ['*context_ : *lane->bound;', '*context_ : seeded("one context") ? *context_ : *lane->bound;'],
    [
      '(to.data(), output.buffer.get(), bytes,',
      '(to.data(), output.buffer.get(), bytes + (seeded("four bytes") ? 4 : 0),',
    ],
  ],
  'engine/bound_context.cc': [
    [
      'if (areEqual(input.shape, call.inputShapes[index])) continue;',
      'if (seeded("old shapes") ? input.shape.nbDims >= 0 : areEqual(input.shape, call.inputShapes[index])) continue;',
    ],
    ['if (profile == profile_) return;', 'if (seeded("no profile") ? profile >= 0 : profile == profile_) return;'],
  ],
  'engine/runtime.cc': [
    ['loaded->gpu_->context().makeCurrent();', 'if (!seeded("no context")) loaded->gpu_->context().makeCurrent();'],
  ],
  'cuda/primary_context.cc': [
    ['cuda_.primaryContextRelease(device_);', 'if (!seeded("no release")) cuda_.primaryContextRelease(device_);'],
  ],
}

const FAULTS: Readonly<Record<string, string>> = {
  'no wait': 'a run that does not wait for its stream',
  'no last wait': 'an error of the last copy that nobody asks for',
  'late inputs': 'inputs that are copied after the engine was started',
  'old shapes': 'shapes that are taken for those of the run before',
  'one context': 'graphs that share the context which takes all shapes',
  'four bytes': 'a copy of four bytes too many',
  'no profile': 'a profile that is never set',
  'no context': 'a thread without the CUDA context',
  'no release': 'a CUDA context that is never released',
}

it('seeded faults are noticed', async (context) => {
  const addon = sanitized(context)
  await addon.damaged(SEEDED, async () => {
    await infers(addon, LATE)
    for (const [fault, words] of Object.entries(FAULTS)) {
      const env = { ...LATE, SEEDED_FAULT: fault }
      // Only the graphs' own run has any.
      const noticed = fault === 'one context' ? launchesGraphs(addon, env) : infersAndFails(addon, env)
      await expect.soft(noticed, words).rejects.toThrow()
    }
  })
}, 600_000)

async function infers(addon: SanitizedPackage, env: NodeJS.ProcessEnv): Promise<void> {
  expectInference(parsed('infer', await addon.run('infer', { env })), 'trt10')
}

async function infersAndFails(addon: SanitizedPackage, env: NodeJS.ProcessEnv): Promise<void> {
  await infers(addon, env)
  expectFailures(parsed('failures', await addon.run('failures', { env })))
}

async function launchesGraphs(addon: SanitizedPackage, env: NodeJS.ProcessEnv): Promise<void> {
  expectGraphs(parsed('graphs', await addon.run('graphs', { env })))
}
