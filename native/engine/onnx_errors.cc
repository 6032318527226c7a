#include "engine/onnx_errors.h"

#include <string>

namespace trtnode {
namespace {

using nvonnxparser::IParserError;

// An op that nobody knows is reported as a plugin that was not found, under a code that says only "invalid
// node".
bool isUnsupported(nvonnxparser::IParser const& parser, IParserError const& error) {
  char const* op = error.nodeOperator();
  if (error.node() >= 0 && op != nullptr && *op != '\0' && !parser.supportsOperator(op)) return true;
  nvonnxparser::ErrorCode const code = error.code();
  return code >= nvonnxparser::ErrorCode::kUNSUPPORTED_GRAPH &&
         code <= nvonnxparser::ErrorCode::kUNSUPPORTED_NODE_SHAPE;
}

bool isInvalid(nvonnxparser::ErrorCode code) {
  return code == nvonnxparser::ErrorCode::kMODEL_DESERIALIZE_FAILED ||
         code == nvonnxparser::ErrorCode::kINVALID_VALUE || code == nvonnxparser::ErrorCode::kINVALID_GRAPH ||
         code == nvonnxparser::ErrorCode::kINVALID_NODE;
}

std::string textOf(char const* text) {
  return text != nullptr ? text : "";
}

std::string nodeOf(IParserError const& error) {
  std::string const op = textOf(error.nodeOperator());
  if (error.node() < 0 || op.empty()) return "";
  std::string const name = textOf(error.nodeName());
  return "node " + (name.empty() ? std::to_string(error.node()) : "\"" + name + "\"") + " (" + op + ")";
}

}  // namespace

Error parserError(nvonnxparser::IParser const& parser, std::string const& logged) {
  std::string text;
  bool unsupported = false;
  bool invalid = false;
  for (int index = 0; index < parser.getNbErrors(); ++index) {
    IParserError const* error = parser.getError(index);
    if (error == nullptr) continue;
    unsupported = unsupported || isUnsupported(parser, *error);
    invalid = invalid || isInvalid(error->code());
    std::string const node = nodeOf(*error);
    text += (text.empty() ? "" : "\n") + node + (node.empty() ? "" : ": ") + textOf(error->desc());
  }
  if (text.empty()) text = logged.empty() ? "the ONNX parser gave no reason" : logged;
  if (unsupported) {
    return {ErrorCode::kUnsupportedOp, "TensorRT cannot take this model:\n" + text,
            "replace the node in the model, or build with backend: 'onnxruntime'"};
  }
  if (invalid) {
    return {ErrorCode::kInvalidModel, "not a sound ONNX model:\n" + text,
            "check it with onnx.checker, or export it again"};
  }
  return {ErrorCode::kBuildFailed, "TensorRT's ONNX parser failed:\n" + text};
}

}  // namespace trtnode
