import { defineConfig } from 'vitest/config'
import { SummaryReporter } from './scripts/lib/reporter.mjs'
import { STRICT } from './scripts/lib/run.mjs'

const summary = process.env.TENSORRT_NODE_SUMMARY

// The tests run against the built package in dist/, as its users do: `npm test` builds it first.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real builds, child processes and sanitizers: long on two cores, and never judged by time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Each file gets a process of its own, so that one that crashes takes no other along.
    pool: 'forks',
    // Real processes, signals and sanitizers under load: in CI one test of 1,700 that fails by chance is run once more, and the
    // summary names it. What fails twice fails. On a developer's machine nothing is run again.
    retry: STRICT ? 1 : 0,
    maxWorkers: 2,
    reporters: ['default', ...(summary === undefined ? [] : [new SummaryReporter({ file: summary })])],
  },
})
