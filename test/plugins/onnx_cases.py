"""ONNX's own backend node tests of LayerNormalization and PRelu, a grid of PRelu broadcasts against the reference
evaluator of the onnx package, and the cases of specs, through the plugins of the emulated library.

    onnx_cases.py PROBE LIBRARY SPEC...

Prints one JSON object a line: {"case", "version", "type", "format", "ok", "error"}. In fp32 the tolerances are the suite's own
(rtol 1e-3, atol 1e-7); in fp16 and bf16 inputs are rounded first, and the result may be half a last place (rounding)
and one more away from the fp64 result of those inputs, plus the 1e-6 that fp32 arithmetic has.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

PROBE, LIBRARY, *SPECS = sys.argv[1:]
# The suite's own; in the narrow types only rounding and one more unit in the last place.
TOLERANCES = {"float32": {"atol": 1e-7, "rtol": 1e-3}, "float16": {"ulp": 1.5}, "bfloat16": {"ulp": 1.5}}
NODE_TESTS = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "node")
# Bits of the significand and the exponent of the smallest normal number.
PRECISION = {"float16": (11, -14), "bfloat16": (8, -126)}


def read(path):
    with open(path, "rb") as file:
        return numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))


def node_tests():
    for name in sorted(os.listdir(NODE_TESTS)):
        if not name.startswith(("test_layer_normalization", "test_prelu")) or "expanded" in name:
            continue
        folder = os.path.join(NODE_TESTS, name)
        model = onnx.load(os.path.join(folder, "model.onnx"))
        data = os.path.join(folder, "test_data_set_0")
        inputs = [read(os.path.join(data, f"input_{i}.pb")) for i in range(len(model.graph.input))]
        outputs = [read(os.path.join(data, f"output_{i}.pb")) for i in range(len(model.graph.output))]
        yield name, model.graph.node[0], inputs, outputs, TOLERANCES


def broadcasts():
    """Slopes of every kind over one shape, with the reference evaluator's result."""
    random = np.random.default_rng(7)
    x = random.standard_normal((2, 3, 4, 5)).astype(np.float32)
    for shape in [(1,), (5,), (4, 1), (4, 5), (3, 1, 1), (1, 3, 1, 1), (3, 4, 5), (2, 1, 1, 1), (2, 1, 4, 1),
                  (2, 3, 4, 5), (1, 1, 1, 1), (3, 1, 5), (1, 4, 5), ()]:
        slope = random.standard_normal(shape).astype(np.float32)
        node = onnx.helper.make_node("PRelu", ["x", "slope"], ["y"])
        graph = onnx.helper.make_graph(
            [node], "g",
            [onnx.helper.make_tensor_value_info("x", 1, x.shape), onnx.helper.make_tensor_value_info("slope", 1, shape)],
            [onnx.helper.make_tensor_value_info("y", 1, x.shape)])
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 16)])
        yield f"prelu {list(shape)}", node, [x, slope], ReferenceEvaluator(model).run(None, {"x": x, "slope": slope}), TOLERANCES


def specs():
    """The cases that plugins' spec.json files name, with random inputs, against the definition in fp64."""
    for path in SPECS:
        with open(path, encoding="utf-8") as file:
            spec = json.load(file)
        random = np.random.default_rng(11)
        for case in spec["cases"]:
            node = onnx.helper.make_node(spec["operator"], [], [], **case.get("attributes", {}))
            inputs = [random.standard_normal(shape).astype(np.float32) for shape in case["inputs"]]
            outputs = exact(node, case.get("attributes", {}), [rounded(values, "float32") for values in inputs])
            yield f"{spec['plugin']}: {case['name']}", node, inputs, outputs[: case.get("outputs", 1)], spec["tolerances"]


def rounded(values, kind):
    """The nearest numbers of that type, as fp64."""
    if kind == "float32":
        return values.astype(np.float64)
    bits, smallest = PRECISION[kind]
    values = values.astype(np.float64)
    exponent = np.maximum(np.frexp(values)[1] - 1, smallest)
    step = np.ldexp(1.0, exponent - bits + 1)
    return np.round(values / step) * step


def exact(node, attributes, inputs):
    """The definition of the operator, in fp64."""
    if node.op_type == "PRelu":
        return [np.where(inputs[0] < 0, inputs[0] * inputs[1], inputs[0])]
    axis = attributes.get("axis", -1) % inputs[0].ndim
    axes = tuple(range(axis, inputs[0].ndim))
    mean = inputs[0].mean(axes, keepdims=True)
    inverse = 1 / np.sqrt(((inputs[0] - mean) ** 2).mean(axes, keepdims=True) + attributes.get("epsilon", 1e-5))
    bias = inputs[2] if len(inputs) > 2 else 0
    return [(inputs[0] - mean) * inverse * inputs[1] + bias, mean, inverse]


def run(folder, node, attributes, inputs, shapes, version, kind, layout):
    name = {"LayerNormalization": "CustomLayerNormalization", "PRelu": "CustomPRelu"}[node.op_type]
    arguments = [PROBE, "run", LIBRARY, name, version, f"type={kind}", f"format={layout}"]
    for key, value in attributes.items():
        arguments.append(f"{'int' if isinstance(value, int) else 'float'}:{key}={value}")
    if len(shapes) > 1:
        arguments.append(f"int:outputs={len(shapes)}")
    for i, values in enumerate(inputs):
        path = os.path.join(folder, f"in{i}")
        values.astype(np.float32).tofile(path)
        arguments.append(f"in={','.join(map(str, values.shape))}:{path}")
    paths = [os.path.join(folder, f"out{i}") for i in range(len(shapes))]
    arguments += [f"out={path}" for path in paths]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return [np.fromfile(path, np.float32)[: int(np.prod(shape))].reshape(shape) for path, shape in zip(paths, shapes)]


def error_of(kind, got, suite, reference, tolerance):
    """None where every output is within tolerance."""
    for index, value in enumerate(got):
        if kind == "float32":
            wrong = np.abs(value - suite[index]) > tolerance["atol"] + tolerance["rtol"] * np.abs(suite[index])
        elif index > 0:
            wrong = np.abs(value - reference[index]) > 1e-6 + 1e-6 * np.abs(reference[index])
        else:
            bits, smallest = PRECISION[kind]
            ulp = np.ldexp(1.0, np.maximum(np.frexp(reference[0])[1] - 1, smallest) - bits + 1)
            wrong = np.abs(value - reference[0]) > tolerance["ulp"] * ulp + 1e-6
        if np.any(wrong) or not np.all(np.isfinite(value)):
            return f"output {index}: {int(wrong.sum())} of {wrong.size} differ, by {np.abs(value - reference[index]).max()}"
    return None


def main():
    with tempfile.TemporaryDirectory() as folder:
        for case, node, inputs, outputs, tolerances in [*node_tests(), *broadcasts(), *specs()]:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            for kind in ["float32", "float16", "bfloat16"]:
                narrow = [rounded(values, kind) for values in inputs]
                reference = exact(node, attributes, narrow)
                # A slope by channel or shared is also taken in channels-last fp16.
                by_channel = node.op_type == "PRelu" and inputs[0].ndim == 4 and (
                    inputs[1].size == 1 or inputs[1].shape in [(inputs[0].shape[1], 1, 1), (1, inputs[0].shape[1], 1, 1)])
                layouts = ["linear", "hwc8"] if by_channel and kind == "float16" else ["linear"]
                for version, layout in itertools.product(["1", "2"], layouts):
                    try:
                        got = run(folder, node, attributes, narrow, [o.shape for o in outputs], version, kind, layout)
                        error = error_of(kind, got, outputs, reference, tolerances[kind])
                    except RuntimeError as failure:
                        error = str(failure)
                    print(json.dumps({"case": case, "version": version, "type": kind, "format": layout, "ok": error is None, "error": error}))


main()
