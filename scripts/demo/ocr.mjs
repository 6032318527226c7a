// What PP-OCRv4 wants before its two networks and says after them: detection finds lines of text in a picture,
// recognition reads each. The numbers are those of the models' own inference configuration (PaddleOCR, ch_PP-OCRv4).
import { readFileSync } from 'node:fs'
import sharp from 'sharp'

const DETECTION = {
  longSide: 960,
  multiple: 32,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  threshold: 0.3,
}
const RECOGNITION = { height: 48, maxWidth: 960, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
// Detection marks the core of a line; the box around the letters is larger by area × ratio / perimeter.
const UNCLIP_RATIO = 1.8
const MIN_BOX = 4

/** A picture as the two networks share it: 8-bit RGB. */
export async function readPicture(file) {
  const { data, info } = await sharp(file)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

/** The detection network's input, `[1,3,H,W]` in BGR, and the scale from its pixels back to the picture's. */
export async function toDetectionInput(picture) {
  const scale = DETECTION.longSide / Math.max(picture.width, picture.height)
  const side = (length) => Math.max(1, Math.round((length * scale) / DETECTION.multiple)) * DETECTION.multiple
  const width = side(picture.width)
  const height = side(picture.height)
  const resized = await resize(picture, width, height)
  return {
    data: toPlanes(resized, width * height, DETECTION),
    dims: [1, 3, height, width],
    scaleX: picture.width / width,
    scaleY: picture.height / height,
  }
}

/** The lines that detection found, top to bottom, as boxes in the picture's pixels. */
export function toBoxes({ data, dims }, { scaleX, scaleY }, picture) {
  const [height, width] = dims.slice(-2)
  const seen = new Uint8Array(width * height)
  const boxes = []
  for (let start = 0; start < data.length; start++) {
    if (seen[start] || data[start] < DETECTION.threshold) continue
    const box = floodFill(data, seen, start, width)
    const boxWidth = box.right - box.left + 1
    const boxHeight = box.bottom - box.top + 1
    if (Math.min(boxWidth, boxHeight) < MIN_BOX) continue
    const margin = (boxWidth * boxHeight * UNCLIP_RATIO) / (2 * (boxWidth + boxHeight))
    const left = Math.max(0, Math.floor((box.left - margin) * scaleX))
    const top = Math.max(0, Math.floor((box.top - margin) * scaleY))
    const right = Math.min(picture.width, Math.ceil((box.right + 1 + margin) * scaleX))
    const bottom = Math.min(picture.height, Math.ceil((box.bottom + 1 + margin) * scaleY))
    boxes.push({ left, top, width: right - left, height: bottom - top })
  }
  return boxes.sort((a, b) => a.top - b.top)
}

/** The recognition network's input for one line, `[1,3,48,W]`. */
export async function toRecognitionInput(picture, box) {
  const { height, maxWidth } = RECOGNITION
  const width = Math.min(maxWidth, Math.max(height, Math.round((box.width * height) / box.height)))
  const line = await sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .extract(box)
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer()
  return { data: toPlanes(line, width * height, RECOGNITION), dims: [1, 3, height, width] }
}

/** The characters that recognition knows: CTC's blank, those of the file, and the space. */
export function readAlphabet(file) {
  return ['', ...readFileSync(file, 'utf8').trimEnd().split('\n'), ' ']
}

/** The same for a model that has them in its metadata, as PP-OCRv6's recognition has. */
export function readAlphabetOf(model) {
  return ['', ...model.metadata.get('character').split('\n'), ' ']
}

/** Greedy CTC: the likeliest class at each step, repeats and blanks left out; with the mean of their probabilities. */
export function toText({ data, dims }, alphabet) {
  const [, steps, classes] = dims
  let text = ''
  let sum = 0
  let count = 0
  let previous = 0
  for (let step = 0; step < steps; step++) {
    let best = 0
    for (let index = 1; index < classes; index++) {
      if (data[step * classes + index] > data[step * classes + best]) best = index
    }
    if (best !== 0 && best !== previous) {
      text += alphabet[best]
      sum += data[step * classes + best]
      count++
    }
    previous = best
  }
  return { text, confidence: count === 0 ? 0 : sum / count }
}

function resize(picture, width, height) {
  return sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer()
}

/** Interleaved RGB bytes as planes of BGR floats, (x / 255 − mean) / std. */
function toPlanes(pixels, count, { mean, std }) {
  const planes = new Float32Array(3 * count)
  for (let channel = 0; channel < 3; channel++) {
    for (let index = 0; index < count; index++) {
      planes[channel * count + index] = (pixels[index * 3 + (2 - channel)] / 255 - mean[channel]) / std[channel]
    }
  }
  return planes
}

/** The bounds of the region above the threshold that holds `start`; marks it as seen. */
function floodFill(data, seen, start, width) {
  const box = { left: width, right: 0, top: data.length, bottom: 0 }
  const stack = [start]
  seen[start] = 1
  while (stack.length > 0) {
    const index = stack.pop()
    const x = index % width
    const y = (index - x) / width
    box.left = Math.min(box.left, x)
    box.right = Math.max(box.right, x)
    box.top = Math.min(box.top, y)
    box.bottom = Math.max(box.bottom, y)
    const neighbours = [index - width, index + width, x > 0 ? index - 1 : -1, x < width - 1 ? index + 1 : -1]
    for (const next of neighbours) {
      if (next < 0 || next >= data.length || seen[next] || data[next] < DETECTION.threshold) continue
      seen[next] = 1
      stack.push(next)
    }
  }
  return box
}
