"""Writes src/onnx/ops/schema-table.ts from the operator schemas of the installed onnx, so that nobody types them.

    .cache/python/bin/python scripts/op_schemas.py

The table is text, one line a version of an op, which src/onnx/ops/schema.ts explains and reads: as objects it would be
300 kB of source that every import parses. A part that is as in the version before is written as `=`.
"""

import json
import pathlib
import re

import numpy
import onnx
from onnx.defs import OpSchema

TARGET = pathlib.Path(__file__).parent.parent / 'src/onnx/ops/schema-table.ts'
HEADER = f"""// Written by scripts/op_schemas.py from onnx {onnx.__version__}. Do not edit.

/** See schema.ts for the format. */
export const SCHEMA_TABLE = `@TABLE@`
"""
SHORT = {'float': 'float32', 'double': 'float64'}
ATTRIBUTE_LETTERS = {
    'FLOAT': 'f', 'INT': 'i', 'STRING': 's', 'TENSOR': 't', 'GRAPH': 'g', 'SPARSE_TENSOR': 'p', 'TYPE_PROTO': 'y',
    'FLOATS': 'F', 'INTS': 'I', 'STRINGS': 'S', 'TENSORS': 'T', 'GRAPHS': 'G', 'SPARSE_TENSORS': 'P', 'TYPE_PROTOS': 'Y',
}  # fmt: skip


def type_name(text: str) -> str:
    """onnx's `seq(tensor(float))` as this package says it: `sequence(float32)`."""
    text = text.replace(' ', '').replace('seq(', 'sequence(')
    text = re.sub(r'tensor\((\w+)\)', r'\1', text)
    return re.sub(r'\b(float|double)\b', lambda match: SHORT[match[0]], text)


class Table:
    def __init__(self):
        self.sets: dict[str, int] = {}
        self.lines: list[str] = []

    def types(self, names) -> str:
        key = ' '.join(sorted({type_name(name) for name in names}))
        return str(self.sets.setdefault(key, len(self.sets)))

    def add(self, schema: OpSchema, before: list[str]) -> list[str]:
        parts = [
            ' '.join(map(formal, schema.inputs)),
            ' '.join(map(formal, schema.outputs)),
            ' '.join(f'{c.type_param_str}={self.types(c.allowed_type_strs)}' for c in schema.type_constraints),
            ' '.join(attribute(schema.attributes[name]) for name in sorted(schema.attributes)),
        ]
        told = ['=' if part == old and part else part for part, old in zip(parts, before)] if before else parts
        mark = '!' if schema.deprecated else ''
        self.lines.append('|'.join([f'{schema.name} {schema.since_version}{mark}', *told]))
        return parts


def formal(parameter: OpSchema.FormalParameter) -> str:
    option = parameter.option
    if option == OpSchema.FormalParameterOption.Optional:
        mark = '?'
    elif option == OpSchema.FormalParameterOption.Variadic:
        mark = ('*' if parameter.is_homogeneous else '~') + str(parameter.min_arity)
    else:
        mark = ''
    text = parameter.type_str
    return f'{parameter.name}:{type_name(text) if "(" in text else text}{mark}'


def attribute(spec: OpSchema.Attribute) -> str:
    text = f'{spec.name}:{ATTRIBUTE_LETTERS[spec.type.name]}'
    if spec.required:
        return f'{text}!'
    if not spec.default_value.name:
        return text
    value = json.dumps(plain(onnx.helper.get_attribute_value(spec.default_value)), separators=(',', ':'))
    assert not re.search(r'[ |`$\\]', value), f'{spec.name}: {value} does not fit the format'
    return f'{text}={value}'


def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return float(str(numpy.float32(value)))  # 0.01, not 0.009999999776482582
    return [plain(item) for item in value] if not isinstance(value, (str, int)) else value


def table() -> str:
    result = Table()
    domain, name, before = '', None, []
    schemas = onnx.defs.get_all_schemas_with_history()
    for schema in sorted(schemas, key=lambda s: (s.domain, s.name, s.since_version)):
        if schema.domain != domain:
            domain = schema.domain
            result.lines.append(f'#{domain}')
        before = result.add(schema, before if schema.name == name else [])
        name = schema.name
    sets = [f'{index} {names}' for names, index in result.sets.items()]
    return '\n'.join([*sets, '#', *result.lines])


TARGET.write_text(HEADER.replace('@TABLE@', table()))
