import { proposedShapes } from '../api/resolve-profiles.js'
import { TrtError } from '../errors.js'
import { inspectModel, type ValueInfo } from '../onnx/index.js'
import { formatProfile, type ShapeFlags } from './shapes.js'

/**
 * Runs a build; where it fails because the shapes of dynamic inputs are missing, the hint becomes flags to paste, as
 * the API's own hint is code to paste.
 */
export async function withShapeHint<T>(model: string, flags: ShapeFlags, build: () => Promise<T>): Promise<T> {
  try {
    return await build()
  } catch (error) {
    const { shapes, minShapes, optShapes, maxShapes, profile } = flags
    const someGiven = [shapes, minShapes, optShapes, maxShapes, profile].some((flag) => flag !== undefined)
    if (someGiven || !(error instanceof TrtError) || error.code !== 'INVALID_SHAPES') throw error
    const { inputs } = await inspectModel({ path: model })
    throw new TrtError('INVALID_SHAPES', error.message, {
      hint: `say which shapes the engine shall take (change the numbers to what you will feed):\n${proposeFlags(inputs)}`,
      cause: error,
    })
  }
}

/** `--shapes 'x:1x3x32x32..1x3x320x320..8x3x1280x1280'` for every dynamic input. */
function proposeFlags(inputs: readonly ValueInfo[]): string {
  return `--shapes ${quote(formatProfile(proposedShapes(inputs)))}`
}

/** Quotes a word for a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
