/**
 * Plans and versions. A plan is for the version of TensorRT that built it, or, where it was built version compatible, for
 * later ones too; its header does not tell which. So a plan that is newer than the library is refused at once, with no GPU,
 * while an older one is TensorRT's to judge; where that fails, the difference is what to say.
 */
import { open } from 'node:fs/promises'
import { messageOf, TrtError } from '../../errors.js'
import { readError } from '../../files.js'
import { HEADER_BYTES, recogniseEngine } from '../recognise-engine.js'

/** The version that a plan names, e.g. `'1.7.1.116'`; undefined where it is no plan. */
export async function planVersion(
  engine: { readonly path: string } | { readonly bytes: Uint8Array },
): Promise<string | undefined> {
  const header = 'bytes' in engine ? engine.bytes.subarray(0, HEADER_BYTES) : await readHeader(engine.path)
  const recognised = recogniseEngine(header, Number.MAX_SAFE_INTEGER, 'the engine')
  return 'version' in recognised ? recognised.version : undefined
}

async function readHeader(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw readError(path, error)
  }
}

/** Major, minor and patch; a plan's header has no room for all of the build number. */
function parts(version: string): readonly number[] {
  return version.split('.').slice(0, 3).map(Number)
}

/** Positive where `a` is newer than `b`, 0 where they are the same release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)]
  const at = left.findIndex((part, index) => part !== (right[index] ?? 0))
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0)
}

/** @param cause what TensorRT said to it, where it was asked */
export function versionMismatch(plan: string, library: string, cause?: unknown): TrtError {
  const said = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new TrtError(
    'ENGINE_MISMATCH',
    `the plan was built by version ${plan}, and the TensorRT here is ${library}${said}`,
    {
      hint: `build the engine again with ${library}, or install TensorRT ${plan}`,
      ...(cause === undefined ? {} : { cause }),
    },
  )
}
