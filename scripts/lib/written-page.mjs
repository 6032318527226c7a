// Pages of docs/ that scripts write from the code, so that they cannot say anything else.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './run.mjs'

/** Writes a page, or with `--check` on the command line says on stderr, by exit code 1, that it is out of date. */
export function writePage(file, page, script) {
  const path = join(ROOT, file)
  if (!process.argv.includes('--check')) {
    writeFileSync(path, page)
  } else if (readFileSync(path, 'utf8') !== page) {
    console.error(`${file} is out of date: node ${script}`)
    process.exitCode = 1
  }
}

/** A text as the cell of a table. */
export const cell = (text) => text.replaceAll('|', '\\|')
