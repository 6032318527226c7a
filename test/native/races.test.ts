/**
 * The addon for TensorRT 10 and the doubles, built with ThreadSanitizer: no race of theirs, in thousands of calls from five
 * threads, where every call fails in turn, with CUDA graphs, device tensors and new weights, and where processes end. And a race that was made on purpose
 * is reported, so that the silence means something.
 */
import { describe, expect, it } from 'vitest'
import { EXITS, endOf, exitAt, type Way } from './helpers/exits.ts'
import {
  DEVICE_TENSORS,
  expectDeviceTensors,
  expectFailures,
  expectGraphs,
  expectInsight,
  expectStress,
} from './helpers/expectations.ts'
import { racesOfOurs } from './helpers/races.ts'
import { type FixtureOptions, parsed } from './helpers/run-fixture.ts'
import { type SanitizedPackage, sanitizedPackage } from './helpers/sanitized-package.ts'

const sanitized = sanitizedPackage('thread')

const CALLS = 1000
const HAMMER: FixtureOptions = { execArgv: ['--expose-gc'], args: [CALLS, 4] }

/** The result of a fixture that ran without a race of ours. */
async function withoutRaces(addon: SanitizedPackage, name: string, options: FixtureOptions = {}) {
  const outcome = await addon.run(name, options)
  expect(racesOfOurs(outcome.stderr)).toEqual([])
  return parsed(name, outcome)
}

describe('ThreadSanitizer', () => {
  it('finds nothing in 5,000 calls, from the main thread and four workers', async (context) => {
    expectStress(await withoutRaces(sanitized(context), 'stress', HAMMER), CALLS)
  })

  it('finds nothing while every call fails in turn', async (context) => {
    expectFailures(await withoutRaces(sanitized(context), 'failures'))
  })

  it('finds nothing while it launches graphs', async (context) => {
    expectGraphs(await withoutRaces(sanitized(context), 'graphs'))
  })

  it('finds nothing while tensors stay on the device', async (context) => {
    expectDeviceTensors(await withoutRaces(sanitized(context), 'device-tensors', DEVICE_TENSORS))
  })

  it('finds nothing while layers are timed and weights exchanged', async (context) => {
    expectInsight(await withoutRaces(sanitized(context), 'insight'))
  })

  it.for(Object.keys(EXITS) as Way[])('finds nothing where processes end: %s', async (way, context) => {
    const addon = sanitized(context)
    for (let moment = 0; moment < 4; moment++) {
      const outcome = await addon.run('exit', exitAt(way, moment))
      expect(racesOfOurs(outcome.stderr)).toEqual([])
      expect(endOf(outcome), outcome.stderr).toEqual(EXITS[way])
    }
  })

  it('reports a slot that is still looked at when JavaScript has it again', async (context) => {
    const addon = sanitized(context)
    const handedOver = '  dispatcher_->postShared(std::move(self));\n'
    // So late that JavaScript certainly has had its turn, and without harm: no crash may end the run before its report.
    const late = 'std::this_thread::sleep_for(std::chrono::milliseconds(2));\n  if (busy_) std::this_thread::yield();\n'
    const racy = `  auto const kept = self;\n${handedOver}  ${late}`
    const includes = ['#include <utility>', '#include <chrono>\n#include <thread>\n#include <utility>'] as const
    await addon.damaged({ 'binding/engine_slot.cc': [includes, [handedOver, racy]] }, async () => {
      const { stderr } = await addon.run('stress', { ...HAMMER, args: [100] })
      expect(racesOfOurs(stderr).join('')).toContain('tensorrt_node_trt10.node')
    })
  })
})
