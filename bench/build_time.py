"""Builds a model with TensorRT-RTX's own Python bindings: once for each line on standard input.

Arguments: model, input, dims (comma-separated). Prints, for each line read, the seconds of parsing and building and the
plan's size in bytes.
"""

import sys
import time

import tensorrt_rtx_bindings as trt

model, name, dims = sys.argv[1], sys.argv[2], tuple(int(dim) for dim in sys.argv[3].split(","))
logger = trt.Logger(trt.Logger.ERROR)
for _ in sys.stdin:
    started = time.perf_counter()
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(model):
        sys.exit(str(parser.get_error(0)))
    config = builder.create_builder_config()
    profile = builder.create_optimization_profile()
    profile.set_shape(name, dims, dims, dims)
    config.add_optimization_profile(profile)
    config.num_compute_capabilities = 1
    config.set_compute_capability(trt.ComputeCapability.SM89, 0)
    plan = builder.build_serialized_network(network, config)
    print(time.perf_counter() - started, plan.nbytes, flush=True)
