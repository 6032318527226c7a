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
  bool matMul = false;
  bool fp32MatMul = false;
};

NetworkFacts factsOf(nvinfer1::INetworkDefinition const& network);

// "fp32", "fp16", "fp16+fp32", …; "integer" where no floating point is in it.
std::string precisionOf(NetworkFacts const& facts);

// The compute capabilities for which TensorRT-RTX builds such a network. Seen with 1.7.1: 7.5 refuses bf16,
// fp8, a MatMul in fp32 ("FP32 GEMM is not supported") and a quantised one; 8.0 and 8.6 refuse fp8. Trying
// all and dropping what TensorRT then names would need no rules, but the refusal comes late: it took 0.6 s of
// a build of 1.5 s.
std::vector<std::string> capabilitiesFor(NetworkFacts const& facts);

}  // namespace trtnode
