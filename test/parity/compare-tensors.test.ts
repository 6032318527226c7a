import { Tensor } from 'tensorrt-node'
import { compareTensors, differenceText, HISTOGRAM_ENDS } from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { numberToHalf } from '#dist/npy/half.js'
import { onnxPython } from '../onnx/helpers/python.js'

const EXACT = { atol: 0, rtol: 0 }
const floats = (...values: number[]) => new Tensor('float32', Float32Array.from(values))

describe('compareTensors', () => {
  it('gives the figures that numpy gives', (ctx) => {
    const python = onnxPython(ctx)
    const figures = JSON.parse(
      python(`
import numpy as np, json
rng = np.random.default_rng(7)
a = rng.normal(size=1000).astype(np.float32)
b = (a + rng.normal(size=1000) * 10.0 ** rng.integers(-8, 0, 1000)).astype(np.float32)
x, y = a.astype(np.float64), b.astype(np.float64)
e = np.abs(y - x)
o = lambda v: np.where(v.view(np.int32) < 0, -2**31 - v.view(np.int32).astype(np.int64), v.view(np.int32).astype(np.int64))
print(json.dumps(dict(a=a.tolist(), b=b.tolist(), maxAbs=e.max(), meanAbs=e.mean(), maxRel=(e/np.abs(x)).max(), meanRel=(e/np.abs(x)).mean(),
  cosine=x@y/np.sqrt((x@x)*(y@y)), snr=10*np.log10((x@x)/(e@e)), maxUlp=int(np.abs(o(a)-o(b)).max()),
  outside=int((e > 1e-4 + 1e-3*np.abs(x)).sum()), worst=int((e / (1e-4 + 1e-3*np.abs(x))).argmax()), ofTolerance=(e / (1e-4 + 1e-3*np.abs(x))).max(),
  histogram=[int((e == 0).sum())] + np.histogram(e[e > 0], [0] + [10.0**k for k in range(-9, 4)] + [np.inf])[0].tolist())))
`),
    ) as Record<string, number> & { a: number[]; b: number[]; histogram: number[] }
    const { a, b, histogram, outside, worst, maxUlp, ...close } = figures
    const found = compareTensors(floats(...a), floats(...b), { atol: 1e-4, rtol: 1e-3 })
    for (const [name, value] of Object.entries(close))
      expect(found[name as 'maxAbs'], name).toBeCloseTo(value as number, 9)
    expect(found).toMatchObject({ outside, maxUlp, histogram, worst: { index: [worst] } })
    expect(found.histogram).toHaveLength(HISTOGRAM_ENDS.length)
  })

  it('takes NaN and infinities as equal to themselves, and as infinitely far from everything else', () => {
    const same = floats(Number.NaN, Infinity, -Infinity, 0)
    expect(compareTensors(same, floats(Number.NaN, Infinity, -Infinity, -0), EXACT)).toMatchObject({
      maxAbs: 0,
      outside: 0,
      snr: Infinity,
      cosine: 1,
    })
    for (const other of [1, Infinity, -Infinity]) {
      expect(compareTensors(floats(Number.NaN), floats(other), { atol: 1e9, rtol: 1 })).toMatchObject({
        maxAbs: Infinity,
        outside: 1,
        nonFinite: 1,
      })
    }
    expect(compareTensors(floats(Infinity), floats(-Infinity), { atol: 1e9, rtol: 1 })).toMatchObject({ outside: 1 })
    expect(compareTensors(floats(1), floats(Number.NaN), { atol: 1e9, rtol: 1 })).toMatchObject({ outside: 1 })
  })

  it('reads 16-bit floats and 64-bit integers as what they are, and lets integers differ by nothing', () => {
    const halves = (...values: number[]) => new Tensor('float16', Uint16Array.from(values, numberToHalf))
    expect(compareTensors(halves(1, -2), halves(1 + 2 ** -10, -2), EXACT)).toMatchObject({
      maxAbs: 2 ** -10,
      maxUlp: 1,
    })
    // Across zero: the least negative and the least positive half are two apart.
    const tiny = new Tensor('float16', Uint16Array.of(0x8001))
    expect(compareTensors(tiny, new Tensor('float16', Uint16Array.of(1)), EXACT).maxUlp).toBe(2)
    const longs = (...values: bigint[]) => new Tensor('int64', BigInt64Array.from(values))
    expect(compareTensors(longs(5n, 7n), longs(5n, 8n), { atol: 10, rtol: 10 })).toMatchObject({
      outside: 1,
      maxUlp: undefined,
    })
  })

  it('judges by units in the last place of what it judges, whatever type says what is right', () => {
    // 0.6 units of float16 from 1, and 1.2 from 0.5, whose units are half as great.
    const wanted = floats(1 + 0.6 * 2 ** -10, 0.5 + 0.6 * 2 ** -10)
    const given = new Tensor('float16', Uint16Array.from([1, 0.5], numberToHalf))
    const judged = (ulp: number) => compareTensors(wanted, given, { ...EXACT, ulp }, { anyType: true })
    expect([0.5, 0.61, 1.19, 1.21].map((ulp) => judged(ulp).outside)).toEqual([2, 1, 1, 0])
    expect(judged(1).ofTolerance).toBeCloseTo(1.2, 3)
    expect(judged(1).worst?.index).toEqual([1])
    expect(compareTensors(wanted, given, EXACT).mismatch).toBe('expected float32[2], received float16[2]')
  })

  it('says where, in the shape of the tensor, and what does not fit at all', () => {
    const dims = [2, 3, 4]
    const data = new Float32Array(24)
    const other = data.slice()
    other[17] = 3
    const found = compareTensors(new Tensor('float32', data, dims), new Tensor('float32', other, dims), EXACT)
    expect(found.worst).toEqual({ index: [1, 1, 1], expected: 0, actual: 3 })
    expect(differenceText(found)).toBe('1 of 24 elements differ, by up to 3.00: at [1,1,1] expected 0, received 3')
    const flat = compareTensors(new Tensor('float32', data, dims), new Tensor('float32', data, [24]), EXACT)
    expect(flat).toMatchObject({ mismatch: 'expected float32[2,3,4], received float32[24]', outside: 24 })
    expect(compareTensors(floats(), floats(), EXACT)).toMatchObject({ outside: 0, maxAbs: 0, meanAbs: 0 })
  })
})
