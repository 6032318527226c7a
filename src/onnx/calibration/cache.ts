/**
 * Ranges in a file, in the format of TensorRT's own calibration caches: a line that says what wrote it, then for each tensor
 * its name and the scale, a float32 as big-endian hexadecimal digits. The scale is the range divided by 127 (NVIDIA's
 * sampleINT8, README, "Calibration file").
 *
 *     TRT-10000-EntropyCalibration2
 *     images: 3c010a14
 */
import { readFile } from 'node:fs/promises'
import { TrtError } from '../../errors.js'
import { readError, writeFileAtomic } from '../../files.js'

const LINE = /^(.+): ([0-9a-fA-F]{8})$/
const INT8_GREATEST = 127

/**
 * Reads what TensorRT's calibrators or {@link writeCalibrationCache} wrote.
 *
 * @returns ranges by name, as the pass `quantize` takes them. TensorRT's own layers (`(Unnamed Layer* 3) …`) are among them
 *   and do no harm
 * @throws {TrtError} `FILE_NOT_FOUND`, `IO_ERROR`; `INVALID_ARGUMENT` where it is no calibration cache
 */
export async function readCalibrationCache(path: string): Promise<Record<string, number>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw readError(path, error)
  })
  return parseCalibrationCache(text, path)
}

/**
 * Writes ranges, atomically.
 *
 * @throws {TrtError} `IO_ERROR`
 */
export async function writeCalibrationCache(path: string, ranges: Readonly<Record<string, number>>): Promise<void> {
  await writeFileAtomic(path, Buffer.from(formatCalibrationCache(ranges)))
}

/** See {@link readCalibrationCache}. @param name how messages call the text */
export function parseCalibrationCache(text: string, name = 'the calibration cache'): Record<string, number> {
  const [head = '', ...lines] = text.split(/\r?\n/)
  const fail = (what: string): never => {
    throw new TrtError('INVALID_ARGUMENT', `${name} is no calibration cache: ${what}`, {
      hint: 'it begins with a line such as TRT-10000-EntropyCalibration2, and has lines such as "images: 3c010a14"',
    })
  }
  if (LINE.test(head) || !/^\S+-\S+$/.test(head)) fail('the first line does not say what wrote it')
  const scale = new DataView(new ArrayBuffer(4))
  const ranges: [string, number][] = []
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue
    const [, tensor, digits] = LINE.exec(line) ?? fail(`line ${index + 2} is ${JSON.stringify(line.slice(0, 80))}`)
    scale.setUint32(0, Number.parseInt(digits as string, 16))
    const range = scale.getFloat32(0) * INT8_GREATEST
    if (!(range >= 0)) fail(`line ${index + 2} has a scale of ${scale.getFloat32(0)}`)
    ranges.push([tensor as string, range])
  }
  return Object.fromEntries(ranges)
}

/** See {@link writeCalibrationCache}. */
export function formatCalibrationCache(ranges: Readonly<Record<string, number>>): string {
  const scale = new DataView(new ArrayBuffer(4))
  const lines = Object.entries(ranges).map(([name, range]) => {
    scale.setFloat32(0, range / INT8_GREATEST)
    return `${name}: ${scale.getUint32(0).toString(16).padStart(8, '0')}`
  })
  return `${['tensorrt-node-Calibration', ...lines].join('\n')}\n`
}
