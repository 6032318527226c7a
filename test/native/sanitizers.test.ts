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
    await keepsOnDevice(sanitized(context), LATE)
  })

  it('find nothing while layers are timed and weights exchanged', async (context) => {
    await exchangesWeights(sanitized(context), LATE)
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
    ['  copyIn(bound, call);\n', '  if (!seeded("late inputs")) copyIn(bound, call);\n'],
    ['  compute(bound, lane);\n', '  compute(bound, lane);\n  if (seeded("late inputs")) copyIn(bound, call);\n'],
    ['*context_ : *lane->bound;', '*context_ : seeded("one context") ? *context_ : *lane->bound;'],
    [
      '(to.data(), output.buffer.get(), bytes,',
      '(to.data(), output.buffer.get(), bytes + (seeded("four bytes") ? 4 : 0),',
    ],
    [
      'if (call.deviceInputs[index] != nullptr) {',
      'if (call.deviceInputs[index] != nullptr && !seeded("host input")) {',
    ],
    ['    if (bytes == 0) return;\n    cuda_', '    if (bytes == 0 || seeded("no copy to keep")) return;\n    cuda_'],
    ['refits_ != loaded_->refits()', '!seeded("old graphs") && refits_ != loaded_->refits()'],
    [
      'if (loaded_->layerTimes() != nullptr) bound',
      'if (loaded_->layerTimes() != nullptr && !seeded("no times")) bound',
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
    ['if (!engine_->setWeightStreamingBudgetV2', 'if (!seeded("no budget") && !engine_->setWeightStreamingBudgetV2'],
  ],
  'engine/device_memory.cc': [
    [
      'spare->give(std::move(buffer_));',
      'seeded("no piece back") ? (void)buffer_.release() : spare->give(std::move(buffer_));',
    ],
    [
      'CuResult const done = cuda.streamSynchronize(stream.get());',
      'CuResult const done = seeded("no wait to read") ? kCudaSuccess : cuda.streamSynchronize(stream.get());',
    ],
  ],
  'engine/refit.cc': [
    ['give(*refitter, each);', 'if (!seeded("some weights") || &each == weights.data()) give(*refitter, each);'],
  ],
  'cuda/primary_context.cc': [
    ['cuda_.primaryContextRelease(device_);', 'if (!seeded("no release")) cuda_.primaryContextRelease(device_);'],
  ],
}

interface Noticed {
  readonly by: (addon: SanitizedPackage, env: NodeJS.ProcessEnv) => Promise<void>
  readonly faults: Readonly<Record<string, string>>
}

const FAULTS: readonly Noticed[] = [
  {
    by: infersAndFails,
    faults: {
      'no wait': 'a run that does not wait for its stream',
      'no last wait': 'an error of the last copy that nobody asks for',
      'late inputs': 'inputs that are copied after the engine was started',
      'old shapes': 'shapes that are taken for those of the run before',
      'four bytes': 'a copy of four bytes too many',
      'no profile': 'a profile that is never set',
      'no context': 'a thread without the CUDA context',
      'no release': 'a CUDA context that is never released',
    },
  },
  { by: launchesGraphs, faults: { 'one context': 'graphs that share the context which takes all shapes' } },
  {
    by: keepsOnDevice,
    faults: {
      'host input': 'an input on the device that is taken from the host',
      'no copy to keep': 'an output on the device into which nothing is copied',
      'no piece back': 'device memory that is given back to nobody',
      'no wait to read': 'a tensor that is read before its copy has come',
    },
  },
  {
    by: exchangesWeights,
    faults: {
      'old graphs': 'graphs that are launched with the weights from before a refit',
      'some weights': 'a refit that gives the first of the weights only',
      'no times': 'layers whose times are not asked for',
      'no budget': 'a budget for streamed weights that TensorRT is not told',
    },
  },
]

it('seeded faults are noticed', async (context) => {
  const addon = sanitized(context)
  await addon.damaged(SEEDED, async () => {
    for (const { by, faults } of FAULTS) {
      await by(addon, LATE)
      for (const [fault, words] of Object.entries(faults)) {
        await expect.soft(by(addon, { ...LATE, SEEDED_FAULT: fault }), words).rejects.toThrow()
      }
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

async function keepsOnDevice(addon: SanitizedPackage, env: NodeJS.ProcessEnv): Promise<void> {
  const options = { ...DEVICE_TENSORS, env: { ...env, ...DEVICE_TENSORS.env } }
  expectDeviceTensors(parsed('device-tensors', await addon.run('device-tensors', options)))
}

async function exchangesWeights(addon: SanitizedPackage, env: NodeJS.ProcessEnv): Promise<void> {
  expectInsight(parsed('insight', await addon.run('insight', { env })))
}
