// libnvonnxparser / libtensorrt_onnxparser_rtx: NOT NVIDIA's parser but a stand-in for tests. The parser
// itself lies in the TensorRT stand-in, as it makes that one's networks.
#include <NvOnnxParser.h>

extern "C" {
void* trtDoubleCreateParser(void* network, void* logger, int version) noexcept;

__attribute__((visibility("default"))) void* createNvOnnxParser_INTERNAL(void* network, void* logger,
                                                                         int version) noexcept {
  return trtDoubleCreateParser(network, logger, version);
}

__attribute__((visibility("default"))) int getNvOnnxParserVersion() noexcept {
  return NV_ONNX_PARSER_VERSION;
}
}
