/**
 * Bounds on what a file may make this package hold, so that damaged or hostile bytes end in an error, not in hours or
 * gigabytes. All are far above real models, which stay below 100,000 nodes.
 */

/** Messages inside messages; protobuf's own parsers stop at 100 as well. Three a nested subgraph. */
export const MAX_DEPTH = 100

/**
 * Messages, repeated names and dimensions in all: each may be 2 bytes in the file and 200 in memory. A plain
 * convolution network has about 12 a node.
 */
export const MAX_RECORDS = 3_000_000

/** Bytes of one name. */
export const MAX_NAME_BYTES = 1 << 20

/** Bytes of all names together. */
export const MAX_TEXT_BYTES = 2 ** 29

/** Files up to this size are read whole, the others by ranges from an open descriptor. */
export const MAX_WHOLE_FILE = 2 ** 24
