/** Reports as one HTML file that needs nothing else: no network, no script to load, light and dark as the reader has it. */

/** HTML that is safe to put into a page; made by {@link html} alone. */
export class Html {
  readonly text: string

  /** @internal use {@link html} */
  constructor(text: string) {
    this.text = text
  }
}

type Part = Html | string | number | readonly Part[]

/** A template whose values are escaped, except for those that are {@link Html} already; lists are joined. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(markup)))
}

/** A whole page. @param body sections, below the title */
export function page(title: string, body: Part): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`.text
}

/** A table. Cells that begin with a digit, `-` or `∞` are aligned to the right. */
export function table(header: readonly string[], rows: readonly (readonly Part[])[]): Html {
  const cells = (row: readonly Part[]) =>
    row.map((cell) => (isNumeric(cell) ? html`<td class="n">${cell}</td>` : html`<td>${cell}</td>`))
  return html`<div class="wide"><table>
<thead><tr>${header.map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody>
</table></div>
`
}

function isNumeric(cell: Part): boolean {
  return typeof cell === 'number' || (typeof cell === 'string' && /^[-−]?[\d∞]/.test(cell))
}

function markup(value: Part): string {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(markup).join('')
  return String(value).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const STYLE = `
:root { --text: #1d2129; --dim: #626b78; --back: #fff; --box: #f4f6f8; --line: #d9dee5; --good: #16794c; --bad: #c22f2f; --mark: #2563c9 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e5e9ef; --dim: #98a3b1; --back: #14171c; --box: #1d2229; --line: #343c47; --good: #4cc38a; --bad: #ff7a70; --mark: #75a7ff }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.5rem } h3 { font-size: 1rem; margin-top: 1.5rem }
code { font: .92em ui-monospace, monospace } .dim { color: var(--dim) } .good { color: var(--good) } .bad { color: var(--bad) }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .88rem }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--dim); font-weight: 600 } td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.box { background: var(--box); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0 }
.flow { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem } .flow .box { margin: 0 } .flow .box + .box { margin-top: .5rem } .flow .here { border-color: var(--bad); border-width: 2px }
svg { width: 100%; height: auto } svg text { fill: var(--dim); font: 11px system-ui, sans-serif } svg .axis { stroke: var(--line) }
svg .good { fill: var(--good) } svg .bad { fill: var(--bad) } svg .bar { fill: var(--mark) }
figure { margin: 1rem 0 } figcaption { color: var(--dim); font-size: .85rem }
`
