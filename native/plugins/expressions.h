#pragma once

#include <NvInferRuntime.h>

#include <algorithm>
#include <deque>

namespace trtnode {

// A dimension whose value is known here and, to the plugin, is not: as in an engine of dynamic shapes.
class Dimension final : public nvinfer1::IDimensionExpr, private nvinfer1::apiv::VDimensionExpr {
 public:
  Dimension(int64_t value, bool constant) : value_(value), constant_(constant) { mImpl = this; }
  int64_t value() const noexcept { return value_; }

 private:
  bool isConstant() const override { return constant_; }
  // TensorRT's answer where the value is not constant.
  int64_t getConstantValue() const override { return constant_ ? value_ : INT64_MIN; }
  bool isSizeTensor() const override { return false; }

  int64_t value_;
  bool constant_;
};

// What a plugin computes its output shapes with. TensorRT's own is its builder's; this one evaluates at once.
class ExpressionBuilder final : public nvinfer1::IExprBuilder, private nvinfer1::apiv::VExprBuilder {
 public:
  ExpressionBuilder() { mImpl = this; }

  nvinfer1::IDimensionExpr const* dynamic(int64_t value) { return &made_.emplace_back(value, false); }
  nvinfer1::DimsExprs dynamic(nvinfer1::Dims const& dims) {
    nvinfer1::DimsExprs shape{};
    shape.nbDims = dims.nbDims;
    for (int32_t d = 0; d < dims.nbDims; ++d) shape.d[d] = dynamic(dims.d[d]);
    return shape;
  }
  // Whether the size of an output is to depend on data.
  bool sizeTensorAsked() const noexcept { return sizeTensorAsked_; }

  // Of an expression of this builder.
  static int64_t valueOf(nvinfer1::IDimensionExpr const& expression) {
    return static_cast<Dimension const&>(expression).value();
  }

 private:
  nvinfer1::IDimensionExpr const* constant(int64_t value) override {
    return &made_.emplace_back(value, true);
  }

  nvinfer1::IDimensionExpr const* operation(nvinfer1::DimensionOperation operation,
                                            nvinfer1::IDimensionExpr const& first,
                                            nvinfer1::IDimensionExpr const& second) override {
    using nvinfer1::DimensionOperation;
    int64_t const a = valueOf(first), b = valueOf(second);
    bool const constant = first.isConstant() && second.isConstant();
    auto const divides =
        operation == DimensionOperation::kFLOOR_DIV || operation == DimensionOperation::kCEIL_DIV;
    if (divides && b == 0) return nullptr;
    int64_t value = 0;
    switch (operation) {
      case DimensionOperation::kSUM:
        value = a + b;
        break;
      case DimensionOperation::kPROD:
        value = a * b;
        break;
      case DimensionOperation::kMAX:
        value = std::max(a, b);
        break;
      case DimensionOperation::kMIN:
        value = std::min(a, b);
        break;
      case DimensionOperation::kSUB:
        value = a - b;
        break;
      case DimensionOperation::kEQUAL:
        value = a == b;
        break;
      case DimensionOperation::kLESS:
        value = a < b;
        break;
      case DimensionOperation::kFLOOR_DIV:
        value = a / b - (a % b != 0 && (a < 0) != (b < 0));
        break;
      case DimensionOperation::kCEIL_DIV:
        value = a / b + (a % b != 0 && (a < 0) == (b < 0));
        break;
      default:
        return nullptr;
    }
    return &made_.emplace_back(value, constant);
  }

  nvinfer1::IDimensionExpr const* declareSizeTensor(int32_t, nvinfer1::IDimensionExpr const& opt,
                                                    nvinfer1::IDimensionExpr const&) override {
    sizeTensorAsked_ = true;
    return &opt;
  }

  std::deque<Dimension> made_;  // addresses stay
  bool sizeTensorAsked_ = false;
};

}  // namespace trtnode
