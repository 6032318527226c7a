// The ONNX parser of the TensorRT double. It makes network inputs, outputs and one layer a node; of a node
// whose output is the graph's it keeps what Identity, Neg and Sub do, and lets every other output be zeros.
// It refuses, as TensorRT does, what is no ONNX, float64, and nodes of other domains than ONNX's own or of an
// op called Unknown….
#pragma once

#include <vector>

#include "network.h"
#include "onnx_reader.h"

namespace trt_double {

class ParserErrorDouble final : public nvonnxparser::IParserError {
 public:
  ParserErrorDouble(nvonnxparser::ErrorCode code, std::string text, int node, OnnxNode const& at)
      : code_(code), text_(std::move(text)), node_(node), at_(at) {}
  nvonnxparser::ErrorCode code() const override { return code_; }
  char const* desc() const override { return text_.c_str(); }
  char const* file() const override { return "stand-in parser (test double)"; }
  int line() const override { return 0; }
  char const* func() const override { return ""; }
  int node() const override { return node_; }
  char const* nodeName() const override { return at_.name.c_str(); }
  char const* nodeOperator() const override { return at_.op.c_str(); }
  char const* const* localFunctionStack() const override { return nullptr; }
  int32_t localFunctionStackSize() const override { return 0; }

 private:
  nvonnxparser::ErrorCode const code_;
  std::string const text_;
  int const node_;
  OnnxNode const at_;
};

class ParserDouble final : public nvonnxparser::ParserStub {
 public:
  ParserDouble(NetworkDouble& network, nvinfer1::ILogger& logger)
      : product_(network.factory), network_(network), logger_(logger) {}

  bool parse(void const* model, size_t size, char const* path) noexcept override;
  bool parseFromFile(char const* path, int verbosity) noexcept override;
  bool supportsOperator(char const* op) const noexcept override;
  int getNbErrors() const noexcept override { return static_cast<int>(errors_.size()); }
  nvonnxparser::IParserError const* getError(int index) const noexcept override;
  void clearErrors() noexcept override { errors_.clear(); }

 private:
  bool fail(nvonnxparser::ErrorCode code, std::string const& text, int node = -1, OnnxNode const& at = {});
  bool build(OnnxModel const& model);
  void addNode(OnnxNode const& node, OnnxModel const& model);

  Factory::Product const product_;
  NetworkDouble& network_;
  nvinfer1::ILogger& logger_;
  std::vector<ParserErrorDouble> errors_;
  Alive const alive_{"parsers"};
};

}  // namespace trt_double
