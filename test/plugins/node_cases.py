"""ONNX's own backend node tests of LayerNormalization and PRelu, as JSON, one object a line:

    {"name", "operator", "attributes", "type", "inputs", "outputs", "expanded"}

with tensors as {"dims", "data"}. Inputs are rounded to `type` (float32, float16, bfloat16). `outputs` are those of the
suite, for float32 alone; `expanded` are what the reference evaluator of the onnx package makes, from the inputs as they
are given here, of the same test written out in simpler operators (the suite's *_expanded models).
"""

import json
import os

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

NODE_TESTS = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "node")


def read(path):
    with open(path, "rb") as file:
        return numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))


def rounded(values, kind):
    """The nearest numbers of that type, as float32."""
    if kind == "float16":
        return values.astype(np.float16).astype(np.float32)
    if kind == "bfloat16":
        bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
        nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
        return nearest.astype(np.uint32).view(np.float32).reshape(values.shape)
    return values


def plain(values):
    return {"dims": list(values.shape), "data": values.astype(np.float64).ravel().tolist()}


def main():
    for name in sorted(os.listdir(NODE_TESTS)):
        if not name.startswith(("test_layer_normalization", "test_prelu")) or "expanded" in name:
            continue
        model = onnx.load(os.path.join(NODE_TESTS, name, "model.onnx"))
        node = model.graph.node[0]
        data = os.path.join(NODE_TESTS, name, "test_data_set_0")
        inputs = [read(os.path.join(data, f"input_{i}.pb")) for i in range(len(model.graph.input))]
        outputs = [read(os.path.join(data, f"output_{i}.pb")) for i in range(len(model.graph.output))]
        expanded = ReferenceEvaluator(os.path.join(NODE_TESTS, name + "_expanded", "model.onnx"))
        for kind in ["float32", "float16", "bfloat16"]:
            given = [rounded(values, kind) for values in inputs]
            results = expanded.run(None, dict(zip(expanded.input_names, given)))
            print(json.dumps({
                "name": name,
                "operator": node.op_type,
                "attributes": {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
                "type": kind,
                "inputs": [plain(values) for values in given],
                "outputs": [plain(values) for values in outputs] if kind == "float32" else [],
                "expanded": [plain(values) for values in results],
            }))


main()
