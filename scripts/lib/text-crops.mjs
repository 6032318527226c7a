// Lines of text as a recogniser gets them: words drawn by chance, from a seed, in the faces of the DejaVu fonts.
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { seededRandom } from '../../dist/npy/random.js'
import { toRecognitionInput } from '../demo/ocr.mjs'

const FONTS = fileURLToPath(new URL('../../node_modules/dejavu-fonts-ttf/ttf/', import.meta.url))
/** File and name, as Pango calls it. */
const FACES = [
  ['DejaVuSans', 'DejaVu Sans'],
  ['DejaVuSans-Bold', 'DejaVu Sans Bold'],
  ['DejaVuSans-Oblique', 'DejaVu Sans Oblique'],
  ['DejaVuSansCondensed', 'DejaVu Sans Condensed'],
  ['DejaVuSansMono', 'DejaVu Sans Mono'],
  ['DejaVuSerif', 'DejaVu Serif'],
  ['DejaVuSerif-Bold', 'DejaVu Serif Bold'],
  ['DejaVuSerif-Italic', 'DejaVu Serif Italic'],
]
const CHARACTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789.,:;-+%#@()'

/**
 * Crops of text, each with what is written there: `count` of them, the same for the same seed.
 *
 * @param {number} seed
 * @param {number} count
 */
export async function* textCrops(seed, count) {
  const random = seededRandom(seed)
  const below = (n) => random() % n
  for (let index = 0; index < count; index++) {
    const length = 4 + below(15)
    let text = ''
    while (text.length < length) {
      // A space now and then, never at an end or twice.
      const isGap = text.length > 1 && text.length < length - 2 && !text.endsWith(' ') && below(7) === 0
      text += isGap ? ' ' : CHARACTERS[below(CHARACTERS.length)]
    }
    const [file, font] = FACES[below(FACES.length)]
    const isLight = below(4) === 0
    const shade = (light) => (light ? 170 + below(86) : below(90))
    const [ink, paper] = [shade(isLight), shade(!isLight)]
    const picture = await draw(text, `${FONTS}${file}.ttf`, `${font} ${18 + below(16)}`, ink, paper, below)
    const box = { left: 0, top: 0, width: picture.width, height: picture.height }
    yield { text, ...(await toRecognitionInput(picture, box)) }
  }
}

async function draw(text, fontfile, font, ink, paper, below) {
  const colour = `#${[ink, ink, ink].map((x) => x.toString(16).padStart(2, '0')).join('')}`
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const background = { r: paper, g: paper, b: paper }
  const [x, y] = [4 + below(8), 2 + below(6)]
  const words = sharp({
    text: { text: `<span foreground="${colour}">${escaped}</span>`, font, fontfile, rgba: true, dpi: 96 },
  })
  const { data, info } = await sharp(await words.png().toBuffer())
    .flatten({ background })
    .extend({ left: x, right: x, top: y, bottom: y, background })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  // The grain of a camera.
  const noise = below(24)
  if (noise > 0) for (let at = 0; at < data.length; at++) data[at] = clamp(data[at] + below(2 * noise + 1) - noise)
  return { data, width: info.width, height: info.height }
}

function clamp(x) {
  return Math.max(0, Math.min(255, x))
}

/**
 * Levenshtein's: insertions, deletions and replacements.
 *
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
export function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}
