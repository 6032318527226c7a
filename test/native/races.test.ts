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
import { sanitizedPackage } from './helpers/sanitized-package.ts'

const sanitized = sanitizedPackage('thread')

const CALLS = 1000
const HAMMER: FixtureOptions = { execArgv: ['--expose-gc'], args: [CALLS, 4] }

describe('ThreadSanitizer', () => {
  it('finds nothing in 5,000 calls, from the main thread and four workers', async (context) => {
    const outcome = await sanitized(context).run('stress', HAMMER)
    expect(racesOfOurs(outcome.stderr)).toEqual([])
    expectStress(parsed('stress', outcome), CALLS)
  })

  it('finds nothing while every call fails in turn', async (context) => {
    const outcome = await sanitized(context).run('failures')
    expect(racesOfOurs(outcome.stderr)).toEqual([])
    expectFailures(parsed('failures', outcome))
  })

  it('finds nothing while it launches graphs', async (context) => {
    const outcome = await sanitized(context).run('graphs')
    expect(racesOfOurs(outcome.stderr)).toEqual([])
    expectGraphs(parsed('graphs', outcome))
  })

  it('finds nothing while tensors stay on the device', async (context) => {
    const outcome = await sanitized(context).run('device-tensors', DEVICE_TENSORS)
    expect(racesOfOurs(outcome.stderr)).toEqual([])
    expectDeviceTensors(parsed('device-tensors', outcome))
  })

  it('finds nothing while layers are timed and weights exchanged', async (context) => {
    const outcome = await sanitized(context).run('insight')
    expect(racesOfOurs(outcome.stderr)).toEqual([])
    expectInsight(parsed('insight', outcome))
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
