#include "engine/network_facts.h"

namespace trtnode {
namespace {

void note(NetworkFacts& facts, nvinfer1::DataType type) {
  using nvinfer1::DataType;
  facts.fp32 = facts.fp32 || type == DataType::kFLOAT;
  facts.fp16 = facts.fp16 || type == DataType::kHALF;
  facts.bf16 = facts.bf16 || type == DataType::kBF16;
  facts.fp8 = facts.fp8 || type == DataType::kFP8;
  facts.fp4 = facts.fp4 || type == DataType::kFP4;
  facts.int8 = facts.int8 || type == DataType::kINT8;
}

}  // namespace

NetworkFacts factsOf(nvinfer1::INetworkDefinition const& network) {
  NetworkFacts facts;
  bool matMul = false;
  for (int32_t index = 0; index < network.getNbInputs(); ++index) note(facts, network.getInput(index)->getType());
  for (int32_t index = 0; index < network.getNbLayers(); ++index) {
    nvinfer1::ILayer const* layer = network.getLayer(index);
    matMul = matMul || layer->getType() == nvinfer1::LayerType::kMATRIX_MULTIPLY;
    for (int32_t output = 0; output < layer->getNbOutputs(); ++output) {
      nvinfer1::ITensor const* tensor = layer->getOutput(output);
      if (tensor != nullptr) note(facts, tensor->getType());
    }
  }
  facts.quantizedMatMul = matMul && facts.int8;
  return facts;
}

std::string precisionOf(NetworkFacts const& facts) {
  std::string text;
  auto const add = [&text](bool present, char const* name) {
    if (present) text += (text.empty() ? "" : "+") + std::string(name);
  };
  add(facts.fp4, "fp4");
  add(facts.fp8, "fp8");
  add(facts.int8, "int8");
  add(facts.fp16, "fp16");
  add(facts.bf16, "bf16");
  add(facts.fp32, "fp32");
  return text.empty() ? "integer" : text;
}

std::vector<std::string> capabilitiesFor(NetworkFacts const& facts) {
  if (facts.fp4) return {"12.0", "12.1"};
  if (facts.fp8) return {"8.9", "12.0", "12.1"};
  if (facts.bf16 || facts.quantizedMatMul) return {"8.0", "8.6", "8.9", "12.0", "12.1"};
  return {"7.5", "8.0", "8.6", "8.9", "12.0", "12.1"};
}

}  // namespace trtnode
