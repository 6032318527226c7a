#pragma once

#include <NvInfer.h>

#include <string>
#include <vector>

namespace trtnode {

// What a parsed network computes in.
struct NetworkFacts {
  bool fp32 = false;
  bool fp16 = false;
  bool bf16 = false;
  bool fp8 = false;
  bool fp4 = false;
  bool int8 = false;
  bool quantizedMatMul = false;
};

NetworkFacts factsOf(nvinfer1::INetworkDefinition const& network);

// "fp32", "fp16", "fp16+fp32", …; "integer" where no floating point is in it.
std::string precisionOf(NetworkFacts const& facts);

// The compute capabilities of which TensorRT-RTX builds such a network. Seen with 1.7.1: 7.5 refuses bf16, fp8 and a
// quantised MatMul, 8.0 and 8.6 refuse fp8.
std::vector<std::string> capabilitiesFor(NetworkFacts const& facts);

}  // namespace trtnode
