/** Numbers and shapes as people read them. */

/** `1.4 MiB`, `512 B`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** `850 ms`, `12.3 s`, `4 min 05 s`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(2)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** `1x3x224x224` as trtexec writes shapes, `?` for a dynamic dimension, `scalar` for no dimensions. */
export function formatShape(shape: readonly (number | string)[]): string {
  if (shape.length === 0) return 'scalar'
  return shape.map((dim) => (dim === -1 ? '?' : String(dim))).join('x')
}

/** Digits that tell a value apart, no more. */
export function formatNumber(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isInteger(value)) return String(value)
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value)
}

/** `1 input`, `2 inputs`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Says that there are more than what was printed. */
export function more(count: number): string {
  return `and ${count} more (--json lists them)`
}
