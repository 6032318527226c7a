/**
 * Bounds on what a file may make this package hold, so that damaged or hostile bytes end in an error, not in hours or
 * gigabytes. They are meant to be far above real models: 3 million records are some 200,000 nodes.
 */

/** Messages inside messages; protobuf's own parsers stop at 100 as well. Three a nested subgraph. */
export const MAX_DEPTH = 100

/**
 * Messages, repeated names and dimensions in all: each may be 2 bytes in the file and 200 in memory.
 */
export const MAX_RECORDS = 3_000_000

/** Bytes of one name. */
export const MAX_NAME_BYTES = 1 << 20

/** Bytes of all names together. */
export const MAX_TEXT_BYTES = 2 ** 29

/** Files up to this size are read whole, the others by ranges from an open descriptor. */
export const MAX_WHOLE_FILE = 2 ** 24
