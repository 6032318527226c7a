import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatProfile, parseFixedShapes, toShapes } from '#dist/cli/shapes.js'

describe('reads', () => {
  test('nothing as nothing', () => {
    expect(toShapes({})).toBeUndefined()
  })

  test('fixed shapes, one list or several', () => {
    expect(toShapes({ shapes: ['a:1x3x224x224,b:7', 'c:2x2'] })).toEqual({ a: [1, 3, 224, 224], b: [7], c: [2, 2] })
  })

  test('ranges', () => {
    const ids = { min: [1, 8], opt: [4, 128], max: [8, 512] }
    expect(toShapes({ shapes: ['ids:1x8..4x128..8x512'] })).toEqual({ ids })
    expect(toShapes({ minShapes: ['ids:1x8'], optShapes: ['ids:4x128'], maxShapes: ['ids:8x512'] })).toEqual({ ids })
  })

  test('a range beside a fixed shape', () => {
    const flags = { shapes: ['mask:4'], minShapes: ['x:1'], optShapes: ['x:2'], maxShapes: ['x:3'] }
    expect(toShapes(flags)).toEqual({ mask: [4], x: { min: [1], opt: [2], max: [3] } })
  })

  test('one profile for each --profile', () => {
    expect(toShapes({ profile: ['x:1,y:1..2..3', 'x:4,y:5'] })).toEqual([
      { x: [1], y: { min: [1], opt: [2], max: [3] } },
      { x: [4], y: [5] },
    ])
  })

  test.each([
    ['input:0:1x3', 'input:0', [1, 3]],
    ['/model/in.1:0:5', '/model/in.1:0', [5]],
    ['a,b:2x2', 'a,b', [2, 2]],
    ['p2o.Dim.0:1x3x48x320', 'p2o.Dim.0', [1, 3, 48, 320]],
    ['1x2:3x4', '1x2', [3, 4]],
    ['__proto__:1', '__proto__', [1]],
  ])('the name in %s', (text, name, dims) => {
    expect(Object.entries(toShapes({ shapes: [text] }) ?? {})).toEqual([[name, dims]])
  })

  // The API judges them, with the model at hand.
  test('negative dimensions', () => {
    expect(toShapes({ shapes: ['x:-1x3'] })).toEqual({ x: [-1, 3] })
  })

  test('what formatProfile writes', () => {
    const dims = fc.array(fc.nat(9999), { minLength: 1, maxLength: 5 })
    const shape = fc.oneof(dims, fc.record({ min: dims, opt: dims, max: dims }))
    // A name cannot be told from a list where it holds, within it, what looks like an entry's end.
    const name = fc
      .string({ minLength: 1 })
      .filter((text) => !/:-?\d|,|[\n\r\u2028\u2029]/.test(`${text}:`) && !text.startsWith(':'))
    fc.assert(
      fc.property(fc.dictionary(name, shape, { minKeys: 1 }), (shapes) => {
        const written = formatProfile(shapes)
        const plain = Object.entries(shapes).map(([key, value]) => {
          const isPoint = 'min' in value && formatProfile({ a: value.min }) === formatProfile({ a: value.max })
          return [key, isPoint ? value.min : value]
        })
        expect(Object.entries(toShapes({ shapes: [written] }) ?? {})).toEqual(plain)
      }),
      { seed: 14 },
    )
  })
})

describe('refuses', () => {
  test.each([
    [{ shapes: ['1x3x224x224'] }, /--shapes: expected NAME:DIMS.*received "1x3x224x224"/],
    [{ shapes: ['x:1x3,'] }, undefined],
    [{ shapes: ['x:1x3x'] }, /received "x:1x3x"/],
    [{ shapes: ['x:'] }, /received "x:"/],
    [{ shapes: ['x:1.5'] }, /expected NAME:DIMS/],
    [{ shapes: ['x:1..2'] }, /NAME:MIN\.\.OPT\.\.MAX/],
    [{ shapes: ['a:1,b:oops'] }, /received "b:oops"/],
    [{ shapes: ['x:1', 'x:2'] }, /"x" is named twice/],
    [{ minShapes: ['x:1'] }, /"x" lacks --opt-shapes and --max-shapes/],
    [{ optShapes: ['x:1'], maxShapes: ['x:1'] }, /"x" lacks --min-shapes/],
    [{ minShapes: ['x:1..2..3'] }, /--min-shapes: expected one shape for "x"/],
    [{ shapes: ['x:1'], minShapes: ['x:1'], optShapes: ['x:1'], maxShapes: ['x:1'] }, /both in --shapes and in/],
    [{ shapes: ['x:1'], profile: ['x:1'] }, /--profile cannot be combined/],
  ])('%o', (flags, message) => {
    if (message === undefined) expect(toShapes(flags)).toEqual({ x: [1, 3] })
    else expect(() => toShapes(flags)).toThrow(message)
  })

  test('a range where one shape is wanted', () => {
    expect(() => parseFixedShapes('--shapes', ['x:1..2..3'])).toThrow(/expected one shape/)
  })
})
