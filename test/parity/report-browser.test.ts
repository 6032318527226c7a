// The page as a browser shows it. The browser is the system's own (CHROMIUM, or `chromium` on the PATH): nothing is downloaded.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { type Comparison, onnx, type ValueReport } from 'tensorrt-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentOf, runCli } from '../cli/helpers/run-cli.js'
import { ocrModel } from '../onnx/helpers/models.js'

const PATH = ocrModel('ch_ppocr_mobile_v2.0_cls_infer.onnx')
const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-report-'))
const PAGE = join(folder, 'report.html')

function findChromium(): string | undefined {
  if (process.env.CHROMIUM !== undefined) return process.env.CHROMIUM
  try {
    return execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

const executablePath = findChromium()
let browser: Browser
let comparison: Comparison
beforeAll(async () => {
  if (executablePath === undefined) return
  const half = await onnx.read(PATH)
  await onnx.transform(half, [onnx.convertPrecision({ emulate: true })])
  await half.write(join(folder, 'half.onnx'))
  const shapes = ['--shapes', 'x:2x3x48x192']
  const run = await runCli([
    'compare',
    PATH,
    join(folder, 'half.onnx'),
    '--layers',
    '--html',
    PAGE,
    '--json',
    ...shapes,
  ])
  comparison = documentOf(run) as unknown as Comparison
  // Chromium has no sandbox for root, as in containers.
  browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true })
})

/** Relative luminance of a colour as the browser gives it, `rgb(1, 2, 3)` (WCAG 2.2). */
function luminance(color: string): number {
  const [red, green, blue] = (color.match(/\d+/g) ?? []).map((part) => {
    const value = Number(part) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

describe.each(['light', 'dark'] as const)('the page of a comparison, %s', (colorScheme) => {
  it('opens from disk without network and errors, is readable, and has the figures of the JSON', async (ctx) => {
    if (executablePath === undefined) ctx.skip('there is no Chromium: CHROMIUM=/path/to/chromium names one')
    const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    const url = pathToFileURL(PAGE).href
    await page.goto(url)
    expect(requests).toEqual([url])
    expect(complaints).toEqual([])

    const colors = await page.evaluate(`['body', 'p .bad', '.dim', 'td code', 'figcaption'].map((selector) =>
      [selector, getComputedStyle(document.querySelector(selector)).color, getComputedStyle(document.body).backgroundColor])`)
    for (const [selector, color, back] of colors as [string, string, string][]) {
      const [text, behind] = [luminance(color), luminance(back)]
      expect(behind > 0.5, selector).toBe(colorScheme === 'light')
      const contrast = (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05)
      expect(contrast, `${selector}: WCAG 2.2 asks for 4.5`).toBeGreaterThanOrEqual(4.5)
    }
    const isWider = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
    expect(isWider, 'the page scrolls sideways').toBe(false)

    const [{ outputs, layers, firstDivergence }] = comparison.candidates as [Comparison['candidates'][number]]
    const rows = (await page.evaluate(
      `[...document.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText))`,
    )) as string[][]
    expect(rows).toHaveLength(outputs.length + Math.min(50, layers.length))
    for (const row of rows) expectFigures(row, [...outputs, ...layers])
    expect(rows[0]?.[1]).toBe(outputs[0]?.name)
    expect(await page.locator('.flow .here b').innerText()).toBe(firstDivergence?.opType)
    expect(await page.locator('.flow .here code').innerText()).toBe(firstDivergence?.node)
    const points = (await page.evaluate(
      `[...document.querySelectorAll('circle')].map((point) => [point.textContent, point.getBoundingClientRect().y])`,
    )) as [string, number][]
    expect(points.map(([text]) => text.split(':')[0])).toEqual([...layers, ...outputs].map(({ name }) => name))
    // Greater errors are drawn higher.
    const errors = [...layers, ...outputs].map(({ maxAbs }) => maxAbs)
    const [worst, best] = [errors.indexOf(Math.max(...errors)), errors.indexOf(Math.min(...errors))]
    expect(points[worst]?.[1]).toBeLessThan(points[best]?.[1] as number)
    const bars = (await page.evaluate(
      `[...document.querySelectorAll('rect')].map((bar) => bar.textContent)`,
    )) as string[]
    expect(bars.map((text) => Number.parseInt(text, 10))).toEqual(outputs.flatMap(({ histogram }) => histogram))
    await context.close()
  })
})

/** A row of a table says what the JSON says, to the four digits that it shows. */
function expectFigures(row: readonly string[], reports: readonly ValueReport[]): void {
  const report = reports.find(({ name }) => name === row[1]) as ValueReport
  expect(report, row[1]).toBeDefined()
  const { passed, maxAbs, meanAbs, maxRel, maxUlp, cosine, outside, size, range, worst } = report
  expect(row[0]).toBe(passed ? '✔' : '✗')
  const shown = [row[2], row[3], row[4], row[5], row[6], ...(row[9] as string).split(' to ')].map(Number)
  const wanted = [maxAbs, meanAbs, maxRel, maxUlp as number, cosine, ...range]
  for (const [index, value] of wanted.entries()) {
    expect(Math.abs((shown[index] as number) - value), `${row[1]}, figure ${index}`).toBeLessThanOrEqual(
      5.1e-4 * Math.abs(value),
    )
  }
  expect(row[8]).toBe(`${outside}/${size}`)
  if (worst !== undefined) expect(row[10]).toContain(`[${worst.index.join(',')}]:`)
}
