import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

/**
 * The folder that `sdk install` fills: `$TENSORRT_NODE_CACHE`, else `tensorrt-node` in the user's cache folder, as the
 * XDG base directory specification has it (which says to ignore a relative `XDG_CACHE_HOME`).
 */
export function sdkCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.TENSORRT_NODE_CACHE) return resolve(env.TENSORRT_NODE_CACHE)
  const xdg = env.XDG_CACHE_HOME
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'tensorrt-node')
}
