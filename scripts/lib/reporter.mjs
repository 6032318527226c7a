// A vitest reporter that keeps what the summary of `npm test` needs: the counts, what failed and how, and why each skipped
// test was skipped; and which passed only when they were run again.
import { writeFileSync } from 'node:fs'

export class SummaryReporter {
  #file

  constructor({ file }) {
    this.#file = file
  }

  onTestRunEnd(modules, errors) {
    const summary = { passed: 0, failed: [], skipped: [], unsteady: [] }
    const fail = (test, errors) => summary.failed.push({ test, error: errors.map(wordsOf).join('\n') })
    if (errors.length > 0) fail('outside of every test', errors)
    for (const module of modules) {
      const file = module.relativeModuleId
      if (module.errors().length > 0) fail(file, module.errors())
      for (const test of module.children.allTests()) {
        const { state, note, errors } = test.result()
        if (state === 'skipped') summary.skipped.push({ test: test.fullName, reason: note ?? 'no reason given' })
        else if (state === 'passed') {
          summary.passed++
          if (test.diagnostic()?.flaky) {
            summary.unsteady.push({ test: `${file} > ${test.fullName}`, error: (errors ?? []).map(wordsOf).join('\n') })
          }
        } else fail(`${file} > ${test.fullName}`, errors ?? [])
      }
    }
    writeFileSync(this.#file, JSON.stringify(summary))
  }
}

/** An error's stack, which begins with its message, and how values differ; of very long words, their two ends. */
function wordsOf(error) {
  const words = [error.stack ?? error.message, error.diff].filter((part) => part !== undefined).join('\n')
  return words.length <= 4000 ? words : `${words.slice(0, 2000)}\n…\n${words.slice(-2000)}`
}
