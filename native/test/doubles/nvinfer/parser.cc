// Stand-in for tests: the ONNX parser of the TensorRT double.
#include "parser.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace trt_double {
namespace {

/** TensorRT's type for ONNX's number of one, of onnx.proto's TensorProto.DataType. */
std::optional<nvinfer1::DataType> typeOf(int elementType) {
  using nvinfer1::DataType;
  switch (elementType) {
    case 1:
      return DataType::kFLOAT;
    case 2:
      return DataType::kUINT8;
    case 3:
      return DataType::kINT8;
    case 6:
      return DataType::kINT32;
    case 7:
      return DataType::kINT64;
    case 9:
      return DataType::kBOOL;
    case 10:
      return DataType::kHALF;
    case 16:
      return DataType::kBF16;
    case 17:
      return DataType::kFP8;
    default:
      return std::nullopt;
  }
}

bool isKnownOp(std::string const& op) {
  return op.rfind("Unknown", 0) != 0;
}

/** TensorRT's parser takes the name of an op that it does not know, whatever its domain, for a plugin's. */
bool isUnsupported(OnnxNode const& node, PluginRegistryDouble const& plugins) {
  bool const own = (node.domain.empty() || node.domain == "ai.onnx") && node.op.rfind("Custom", 0) != 0;
  return !(own && isKnownOp(node.op)) && !plugins.has(node.op + " 1 ");
}

}  // namespace

bool ParserDouble::fail(nvonnxparser::ErrorCode code, std::string const& text, int node, OnnxNode const& at) {
  errors_.emplace_back(code, text, node, at);
  logError(logger_, text);
  return false;
}

nvonnxparser::IParserError const* ParserDouble::getError(int index) const noexcept {
  return index >= 0 && index < getNbErrors() ? &errors_[static_cast<size_t>(index)] : nullptr;
}

bool ParserDouble::supportsOperator(char const* op) const noexcept {
  return isKnownOp(op);
}

bool ParserDouble::parse(void const* model, size_t size, char const*) noexcept {
  using nvonnxparser::ErrorCode;
  if (injected(logger_, "IParser::parse")) return fail(ErrorCode::kINTERNAL_ERROR, "injected failure");
  try {
    return build(readOnnx(model, size));
  } catch (std::exception const& error) {
    return fail(ErrorCode::kMODEL_DESERIALIZE_FAILED,
                std::string("Failed to parse the ONNX model: ") + error.what());
  }
}

bool ParserDouble::parseFromFile(char const* path, int) noexcept {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(nvonnxparser::ErrorCode::kMODEL_DESERIALIZE_FAILED,
                std::string("Could not open file ") + path);
  std::string const bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse(bytes.data(), bytes.size(), path);
}

bool ParserDouble::build(OnnxModel const& model) {
  using nvonnxparser::ErrorCode;
  for (OnnxValue const& input : model.inputs) {
    auto const type = typeOf(input.elementType);
    if (!type)
      return fail(ErrorCode::kUNSUPPORTED_GRAPH, "input " + input.name + " has an unsupported data type");
    network_.addInput(input.name.c_str(), *type, toDims(input.shape));
  }
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    OnnxNode const& node = model.nodes[i];
    if (isUnsupported(node, network_.plugins)) {
      return fail(ErrorCode::kUNSUPPORTED_NODE, "No importer registered for op: " + node.op,
                  static_cast<int>(i), node);
    }
    addNode(node, model);
  }
  for (OnnxValue const& output : model.outputs) {
    auto const type = typeOf(output.elementType);
    if (!type)
      return fail(ErrorCode::kUNSUPPORTED_GRAPH, "output " + output.name + " has an unsupported data type");
    network_.markOutput(*network_.addTensor(output.name, *type, output.shape));
    // An output that no node of a known op gives.
    if (network_.rules[output.name].isNull()) {
      Json of = Json::array();
      if (!model.inputs.empty()) of.push(model.inputs.front().name);
      network_.rules.set(output.name, Json::object({{"op", "zero"}, {"of", of}}));
    }
  }
  return true;
}

void ParserDouble::addNode(OnnxNode const& node, OnnxModel const& model) {
  std::vector<nvinfer1::ITensor*> outputs;
  for (std::string const& output : node.outputs) {
    auto known = model.types.find(output);
    if (known == model.types.end() && !node.inputs.empty()) known = model.types.find(node.inputs.front());
    auto const type = known == model.types.end() ? std::nullopt : typeOf(known->second);
    outputs.push_back(network_.addTensor(output, type.value_or(nvinfer1::DataType::kFLOAT), {}));
  }
  network_.addLayer(
      node.name, node.op == "MatMul" ? nvinfer1::LayerType::kMATRIX_MULTIPLY : nvinfer1::LayerType::kIDENTITY,
      std::move(outputs));
  Json of = Json::array();
  for (std::string const& name : node.inputs) {
    bool isInput = false;
    for (OnnxValue const& input : model.inputs) isInput = isInput || input.name == name;
    if (!isInput) return;
    of.push(name);
  }
  char const* op = node.op == "Identity" ? "copy"
                   : node.op == "Neg"    ? "scale"
                   : node.op == "Sub"    ? "subtract"
                                         : nullptr;
  if (op) network_.rules.set(node.outputs.front(), Json::object({{"op", op}, {"of", of}, {"factor", -1}}));
}

}  // namespace trt_double
