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

bool isMatMul(nvinfer1::ILayer const& layer) {
  using nvinfer1::LayerType;
  return layer.getType() == LayerType::kMATRIX_MULTIPLY || layer.getType() == LayerType::kEINSUM;
}

}  // namespace

NetworkFacts factsOf(nvinfer1::INetworkDefinition const& network) {
  NetworkFacts facts;
  for (int32_t index = 0; index < network.getNbInputs(); ++index)
    note(facts, network.getInput(index)->getType());
  for (int32_t index = 0; index < network.getNbLayers(); ++index) {
    nvinfer1::ILayer const* layer = network.getLayer(index);
    if (isMatMul(*layer)) {
      facts.matMul = true;
      facts.fp32MatMul = facts.fp32MatMul || layer->getInput(0)->getType() == nvinfer1::DataType::kFLOAT;
    }
    for (int32_t output = 0; output < layer->getNbOutputs(); ++output) {
      nvinfer1::ITensor const* tensor = layer->getOutput(output);
      if (tensor != nullptr) note(facts, tensor->getType());
    }
  }
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
  bool const quantizedMatMul = facts.matMul && facts.int8;
  if (facts.bf16 || facts.fp32MatMul || quantizedMatMul) return {"8.0", "8.6", "8.9", "12.0", "12.1"};
  return {"7.5", "8.0", "8.6", "8.9", "12.0", "12.1"};
}

}  // namespace trtnode
