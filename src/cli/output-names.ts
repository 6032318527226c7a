/**
 * A file name for each output: its own name, with `_` for what file systems or shells dislike (names such as
 * `/model/out:0` are common), and a number behind it where two would be the same, also on file systems that ignore case.
 */
export function outputFileNames(outputs: readonly string[]): Map<string, string> {
  const taken = new Set<string>()
  const names = new Map<string, string>()
  for (const output of outputs) {
    // 200 characters leave room for the suffix under the usual limit of 255 bytes.
    const safe =
      output
        .replace(/[^\w.-]/g, '_')
        .replace(/^[.-]+/, '_')
        .slice(0, 200) || '_'
    let name = safe
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${safe}-${number}`
    taken.add(name.toLowerCase())
    names.set(output, `${name}.npy`)
  }
  return names
}
