"""Makes the models that editing is measured on: one with 525 MB of weights, and one of 20,000 small nodes."""
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

big, small = sys.argv[1:]
random = np.random.default_rng(1)
weights = [numpy_helper.from_array(random.random(525_000, dtype=np.float32), f"w{i}") for i in range(250)]
adds = [helper.make_node("Add", [f"y{i - 1}" if i else "x", f"w{i}"], [f"y{i}"], f"add{i}") for i in range(250)]
ops = ["Relu", "Neg", "Abs", "Exp"]
chain = [helper.make_node(ops[i % 4], [f"v{i - 1}" if i else "x"], [f"v{i}"], f"node{i}") for i in range(20_000)]
for path, nodes, initializers in [(big, adds, weights), (small, chain, [])]:
    values = [helper.make_tensor_value_info(name, 1, [1]) for name in ("x", nodes[-1].output[0])]
    onnx.save(helper.make_model(helper.make_graph(nodes, "graph", values[:1], values[1:], initializers)), path)
