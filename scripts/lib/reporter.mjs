// A vitest reporter that keeps what the summary of `npm test` needs: the counts, and why each skipped test was skipped.
import { writeFileSync } from 'node:fs'

export class SummaryReporter {
  #file

  constructor({ file }) {
    this.#file = file
  }

  onTestRunEnd(modules, errors) {
    const summary = { passed: 0, failed: errors.length, skipped: [] }
    for (const module of modules) {
      if (module.errors().length > 0) summary.failed++
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'skipped') summary.skipped.push({ test: test.fullName, reason: note ?? 'no reason given' })
        else if (state === 'passed') summary.passed++
        else summary.failed++
      }
    }
    writeFileSync(this.#file, JSON.stringify(summary))
  }
}
