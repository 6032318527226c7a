"""Records what every module of a PyTorch model gives, for `tensorrt-node compare model.onnx activations.npz --layers`.

    from dump_activations import dump_activations
    dump_activations(model, {"images": images}, "activations.npz", inputs="inputs", outputs=["logits"])

The .npz holds each module's output by the module's name ("encoder.layers.0.norm"), and the model's own outputs by the names
that the ONNX file has for them. With `inputs`, a folder gets one .npy for each input, as `--input images=inputs/images.npy`
takes them, so that both sides compute from the same numbers. Exporters name values by their own rules: `--rename
onnx_value=module` says which is which, where names differ.
"""

import os
import urllib.parse

import numpy


def dump_activations(model, feeds, path, inputs=None, outputs=()):
    """Runs `model(**feeds)` once. A module that is called more than once is recorded as name, name#1, name#2, ..."""
    import torch

    found = {}

    def record(name, result):
        tensors = result if isinstance(result, (list, tuple)) else [result]
        for index, tensor in enumerate(tensors):
            if not isinstance(tensor, torch.Tensor):
                continue
            base = key = name if len(tensors) == 1 else f"{name}.{index}"
            calls = 0
            while key in found:
                calls += 1
                key = f"{base}#{calls}"
            # NumPy has no bfloat16; float32 holds each of its values.
            tensor = tensor.detach().cpu()
            found[key] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy().copy()

    hooks = [
        module.register_forward_hook(lambda _module, _inputs, result, name=name: record(name, result))
        for name, module in model.named_modules()
        if name
    ]
    model.eval()
    try:
        with torch.no_grad():
            results = model(**feeds)
    finally:
        for hook in hooks:
            hook.remove()
    results = results if isinstance(results, (list, tuple)) else [results]
    for name, result in zip(outputs, results):
        found[name] = result.detach().cpu().numpy()
    numpy.savez(path, **found)
    if inputs is not None:
        os.makedirs(inputs, exist_ok=True)
        for name, tensor in feeds.items():
            numpy.save(os.path.join(inputs, urllib.parse.quote(name, safe="") + ".npy"), tensor.cpu().numpy())
    return sorted(found)
