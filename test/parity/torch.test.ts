// PyTorch is gigabytes and no dependency: where it is not installed, this is skipped. That .npz files of numpy are read is in
// compare.test.ts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { documentOf, runCli } from '../cli/helpers/run-cli.js'
import { onnxPython } from '../onnx/helpers/python.js'

const folder = mkdtempSync(join(tmpdir(), 'tensorrt-node-torch-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('compares a PyTorch model with what it was exported to, module by module', async (ctx) => {
  const python = onnxPython(ctx)
  const found = python('import importlib.util as u; print(u.find_spec("torch") is not None)').trim()
  if (found !== 'True') ctx.skip('PyTorch is not installed for the Python that tests use')
  python(
    `import sys, numpy, onnx, torch
from onnx import helper, numpy_helper
sys.path.insert(0, sys.argv[1])
from dump_activations import dump_activations
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)
    def forward(self, x):
        return self.second(torch.relu(self.first(x)))
torch.manual_seed(1)
net = Net()
dump_activations(net, {"x": torch.rand(2, 4)}, sys.argv[2] + "/a.npz", inputs=sys.argv[2], outputs=["y"])
weights = [numpy_helper.from_array(v.detach().numpy(), k) for k, v in net.named_parameters()]
node = lambda op, i, o, **a: helper.make_node(op, i, [o], o, **a)
graph = helper.make_graph([
    node("Gemm", ["x", "first.weight", "first.bias"], "first", transB=1), node("Relu", ["first"], "relu"),
    node("Gemm", ["relu", "second.weight", "second.bias"], "y", transB=1)], "net",
    [helper.make_tensor_value_info("x", 1, [2, 4])], [helper.make_tensor_value_info("y", 1, [2, 3])], weights)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), sys.argv[2] + "/m.onnx")`,
    resolve('scripts'),
    folder,
  )
  const at = (name: string) => join(folder, name)
  const run = await runCli(['compare', at('m.onnx'), at('a.npz'), '--layers', '-i', `x=${at('x.npy')}`, '--json'])
  expect(documentOf(run)).toMatchObject({ passed: true, candidates: [{ layers: [{ name: 'first' }] }] })
})
