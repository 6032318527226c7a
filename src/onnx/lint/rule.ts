/**
 * What a rule is: one thing that TensorRT refuses or does badly, in a file of its own under rules/. Rules look, and never
 * change anything. Each is linear in nodes.
 */
import type { Node } from '../model/node.js'
import type { Value } from '../model/value.js'
import type { Finding, Fix } from './finding.js'
import type { LintFacts } from './lint-facts.js'

/** See the head of this file. */
export interface Rule {
  /** E.g. `unsupported-op`. */
  readonly id: string
  /** What it is about, in one sentence without a full stop. */
  readonly summary: string
  /** Reports all that it finds. */
  check(facts: LintFacts, report: Report): void
}

/** Takes a finding. */
export type Report = (where: Node | Value | 'model', message: string, details?: FindingDetails) => void

/** What a finding says besides. */
export interface FindingDetails {
  /** Default `error`. */
  readonly severity?: Finding['severity']
  readonly values?: readonly Value[]
  readonly fixes?: readonly Fix[]
  readonly advice?: string
}
