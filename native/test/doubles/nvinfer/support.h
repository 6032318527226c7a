// What all classes of the TensorRT stand-in share.
#pragma once

#include <NvInfer.h>
#include <NvOnnxParser.h>
#include "stubs.h"  // generated at build time, see make-stubs.mjs

#include <atomic>
#include <string>

#include "../common/ledger.h"
#include "../cuda/hooks.h"

namespace trt_double {

/** The hooks of the libcuda double, where the process has loaded it. */
struct CudaHooks {
  decltype(&trtDoubleEnqueue) enqueue;
  decltype(&trtDoubleSynchronize) synchronize;
  decltype(&trtDoubleCapturing) capturing;
  decltype(&trtDoubleRequireContext) requireContext;
  decltype(&trtDoubleAllocate) allocate;
  decltype(&trtDoubleRelease) release;

  /** Null where there is no such library in the process. */
  static CudaHooks const* find();
};

/** Counts one of its kind as alive. */
class Alive {
 public:
  explicit Alive(char const* kind) : kind_(kind) { addLive(kind_, 1); }
  ~Alive() { addLive(kind_, -1); }
  Alive(Alive const&) = delete;
  Alive& operator=(Alive const&) = delete;

 private:
  char const* const kind_;
};

/** The developer guide: "the lifetime of a factory object must span the lifetime of objects it creates". */
class Factory {
 public:
  explicit Factory(char const* name) : name_(name) {}
  ~Factory() {
    if (products_ > 0) misuse(std::string(name_) + " was destroyed before what it had made");
  }

  class Product {
   public:
    explicit Product(Factory& factory) : factory_(factory) { ++factory_.products_; }
    ~Product() { --factory_.products_; }
    Product(Product const&) = delete;
    Product& operator=(Product const&) = delete;

   private:
    Factory& factory_;
  };

 private:
  char const* const name_;
  std::atomic<int> products_{0};
};

inline void logError(nvinfer1::ILogger& logger, std::string const& text) {
  logger.log(nvinfer1::ILogger::Severity::kERROR, text.c_str());
}

/** Counts a call; whether it is to fail, having logged so. */
inline bool injected(nvinfer1::ILogger& logger, char const* function) {
  if (!enter(function).fails) return false;
  logError(logger, std::string(function) + ": injected failure");
  return true;
}

inline std::vector<int64_t> fromDims(nvinfer1::Dims const& dims) {
  return {dims.d, dims.d + (dims.nbDims > 0 ? dims.nbDims : 0)};
}

inline nvinfer1::Dims toDims(std::vector<int64_t> const& values) {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<int32_t>(values.size());
  for (size_t i = 0; i < values.size(); ++i) dims.d[i] = values[i];
  return dims;
}

inline nvinfer1::Dims noDims() {
  nvinfer1::Dims dims{};
  dims.nbDims = -1;
  return dims;
}

inline bool isDynamic(std::vector<int64_t> const& shape) {
  for (int64_t dim : shape) {
    if (dim < 0) return true;
  }
  return false;
}

size_t bytesOf(nvinfer1::DataType type);
size_t bytesOf(nvinfer1::DataType type, std::vector<int64_t> const& shape);
/** @throws std::runtime_error where the headers have no such type, e.g. `kFLOAT` */
nvinfer1::DataType typeNamed(std::string const& name);

class HostMemoryDouble final : public nvinfer1::HostMemoryStub {
 public:
  explicit HostMemoryDouble(std::string bytes) : bytes_(std::move(bytes)) {}
  void* data() const noexcept override { return const_cast<char*>(bytes_.data()); }
  std::size_t size() const noexcept override { return bytes_.size(); }
  nvinfer1::DataType type() const noexcept override { return nvinfer1::DataType::kINT8; }

 private:
  std::string const bytes_;
  Alive const alive_{"hostMemories"};
};

}  // namespace trt_double
