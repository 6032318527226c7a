/** The schemas of ops must say what those of Python's onnx say, all of them, in every operator set. */
import * as onnx from 'tensorrt-node/onnx'
import { describe, expect, it } from 'vitest'
import { onnxPython } from './helpers/python.js'

/** Every schema in this package's words, as far as they are words; and by op the version that holds in each opset. */
const SCRIPT = `
import json, re, onnx, numpy
from onnx import defs, helper
def name(text):
    for old, new in (' ', ''), ('seq(', 'sequence('): text = text.replace(old, new)
    while 'tensor(' in text: text = re.sub(r'tensor\\(([a-z0-9]+)\\)', r'\\1', text)
    words = re.split(r'([(),])', text)
    return ''.join({'float': 'float32', 'double': 'float64'}.get(word, word) for word in words)
def formal(p):
    option = {'Single': 'single', 'Optional': 'optional', 'Variadic': 'variadic'}[p.option.name]
    at_least = {'single': 1, 'optional': 0}.get(option, p.min_arity)
    type_ = name(p.type_str) if '(' in p.type_str else p.type_str
    return dict(name=p.name, type=type_, option=option, homogeneous=p.is_homogeneous, atLeast=at_least)
def plain(value):
    if isinstance(value, bytes): return value.decode()
    if isinstance(value, float): return float(str(numpy.float32(value)))
    return [plain(v) for v in value] if isinstance(value, list) else value
def attribute(a):
    value = plain(helper.get_attribute_value(a.default_value)) if a.default_value.name else None
    return [a.name, a.type.name.lower(), a.required, value]
schemas, versions = [], {}
for s in defs.get_all_schemas_with_history():
    schemas.append(dict(domain=s.domain, opType=s.name, sinceVersion=s.since_version, deprecated=s.deprecated,
        inputs=[formal(p) for p in s.inputs], outputs=[formal(p) for p in s.outputs],
        typeConstraints={c.type_param_str: sorted({name(t) for t in c.allowed_type_strs}) for c in s.type_constraints},
        attributes=sorted(attribute(a) for a in s.attributes.values())))
for domain, op in {(s['domain'], s['opType']) for s in schemas}:
    for opset in range(1, 30):
        try: versions[f'{domain}:{op}:{opset}'] = defs.get_schema(op, opset, domain).since_version
        except defs.SchemaError: versions[f'{domain}:{op}:{opset}'] = None
print(json.dumps(dict(schemas=schemas, versions=versions)))`

interface Facts {
  readonly schemas: readonly (Record<string, unknown> & { domain: string; opType: string; sinceVersion: number })[]
  readonly versions: Readonly<Record<string, number | null>>
}

describe('schemaOf', () => {
  it("says of every op in every operator set what Python's onnx says", (ctx) => {
    const { schemas, versions } = JSON.parse(onnxPython(ctx)(SCRIPT)) as Facts
    expect(schemas.length).toBeGreaterThan(600)
    for (const expected of schemas) {
      const schema = onnx.schemaOf(expected.opType, expected.domain, expected.sinceVersion)
      expect({
        ...schema,
        typeConstraints: Object.fromEntries(
          [...(schema?.typeConstraints ?? [])].map(([letter, types]) => [letter, [...types].sort()]),
        ),
        attributes: [...(schema?.attributes.values() ?? [])]
          .map(({ name, type, required, default: value }) => [name, type, required, value ?? null])
          .sort(),
      }).toEqual(expected)
    }
    for (const [key, version] of Object.entries(versions)) {
      const [domain = '', opType = '', opset] = key.split(':')
      expect([key, onnx.schemaOf(opType, domain, Number(opset))?.sinceVersion ?? null]).toEqual([key, version])
    }
  })

  it("knows ONNX's own domain by both names, and no other's ops", () => {
    expect(onnx.schemaOf('Relu', 'ai.onnx', 17)).toBe(onnx.schemaOf('Relu', '', 17))
    expect(onnx.schemaOf('Relu', 'com.microsoft', 17)).toBeUndefined()
    expect(onnx.schemaOf('Nonesuch', '', 17)).toBeUndefined()
  })
})
