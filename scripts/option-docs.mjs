// Writes docs/options.md from the tables that the backends judge by, so that the page cannot say anything else.
// `--check` only compares.
import { FAMILY_OPTIONS } from '../dist/backends/tensorrt/family-options.js'
import { cell, writePage } from './lib/written-page.mjs'

const FAMILIES = { rtx: 'TensorRT-RTX 1.7', trt10: 'TensorRT 10', trt11: 'TensorRT 11' }

const supportText = (support) => cell('refused' in support ? `**refused**: ${support.refused}` : support.shows)
const rows = Object.entries(FAMILY_OPTIONS).map(
  ([option, row]) =>
    `| \`${option}\` | ${Object.keys(FAMILIES)
      .map((family) => supportText(row[family]))
      .join(' | ')} |`,
)
const page = `# Build options, family by family

Written by \`node scripts/option-docs.mjs\` from \`src/backends/tensorrt/family-options.ts\`. Each cell says what shows that
the option works, or why it is refused as \`UNSUPPORTED\`. There is nothing in between: no option is dropped in silence.
Where \`backend: 'auto'\` chose the backend, options that only make an engine faster or smaller become warnings instead.

| option | ${Object.values(FAMILIES).join(' | ')} |
|---|---|---|---|
${rows.join('\n')}

\`computeCapabilities\` is \`target: { computeCapabilities }\` of \`buildEngine\`. What TensorRT 10 and 11 are told is proven
against a stand-in that records it (\`test/native\`); what they make of it takes a GPU (\`npm run test:gpu\`).
`
writePage('docs/options.md', page, 'scripts/option-docs.mjs')
