/** Regions, grids and pictures. */
import { floorDivide, multiply } from '../dim-algebra.js'
import type { Rule } from '../op-context.js'

export const VISION: Readonly<Record<string, Rule>> = {
  GridSample: (op) => {
    const [dims, grid] = [op.dims(0), op.dims(1)]
    if (dims !== undefined && grid !== undefined) op.give(0, [...dims.slice(0, 2), ...grid.slice(1, -1)])
  },
  AffineGrid: (op) => {
    const length = op.dims(1)?.[0]
    const size = op.elements(1) ?? (typeof length === 'number' ? new Array(length).fill(null) : undefined)
    if (size !== undefined) op.give(0, [size[0] ?? null, ...size.slice(2), size.length - 2])
  },
  RoiAlign: (op) => {
    const channels = op.dims(0)?.[1] ?? null
    op.give(0, [op.dims(1)?.[0] ?? null, channels, op.int('output_height', 1), op.int('output_width', 1)])
  },
  MaxRoiPool: (op) => {
    const shape = op.ints('pooled_shape')
    op.give(0, shape && [op.dims(1)?.[0] ?? null, op.dims(0)?.[1] ?? null, ...shape])
  },
  NonMaxSuppression: (op) => op.give(0, [null, 3]),
  Col2Im: (op) => {
    const [batch = null, columns = null] = op.dimsOfRank(0, 3)
    const [image, block] = [op.elements(1), op.elements(2)]
    const count = op.dims(1)?.[0]
    const spatial = image ?? (typeof count === 'number' ? new Array(count).fill(null) : undefined)
    const channels = block === undefined ? null : floorDivide(columns, multiply(...block))
    op.give(0, spatial && [batch, channels, ...spatial])
  },
  ImageDecoder: (op) => op.give(0, [null, null, op.text('pixel_format', 'RGB') === 'Grayscale' ? 1 : 3]),
}
