/** Frames of these tell nothing of who called: ThreadSanitizer's own, and what everybody calls. */
const RUNTIME = /\((?:libtsan|libc|libstdc\+\+|libgcc_s|libm|ld-linux[^.]*)\.so[.\d]*\+/
/** Parts of a report that are no stacks of what raced: where its threads, memory and mutexes come from. */
const ORIGIN = /^ {2}(?:Thread T|Location is|Mutex M\d+ (?:is|\(0x\w+\)) )/

/**
 * The reports of ThreadSanitizer in which the addon or a double takes part: the innermost frame beyond the runtime of one
 * of the stacks is theirs. All others are of Node, V8 and libuv, which are built without the sanitizer, so that it does
 * not see how they synchronise.
 *
 * Frames are told by their library, as its own symbolizer knows none that was opened after the start: `addr2line -Cfpe
 * LIBRARY OFFSET` says more.
 */
export function racesOfOurs(stderr: string): string[] {
  const reports = stderr.split(/^={18}$/m).filter((part) => part.includes('WARNING: ThreadSanitizer'))
  return reports.filter((report) => {
    const stacks = report.split(/\n\n+/).filter((part) => /^ +#0 /m.test(part) && !ORIGIN.test(part))
    return stacks.some((stack) => {
      const caller = stack.split('\n').find((line) => /^ +#\d+ /.test(line) && !RUNTIME.test(line))
      return caller !== undefined && !/\(node\+0x[0-9a-f]+\)$/.test(caller)
    })
  })
}
