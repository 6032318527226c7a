// Stand-in for tests: shared parts of the TensorRT double.
#include "support.h"

#include <dlfcn.h>

#include <stdexcept>

namespace trt_double {
namespace {

template <typename Function>
Function lookUp(void* library, char const* name) {
  void* symbol = dlsym(library, name);
  if (!symbol) {
    std::fprintf(stderr, "TRT_DOUBLE: the loaded libcuda.so.1 is not the stand-in that this library needs\n");
    std::abort();
  }
  return reinterpret_cast<Function>(symbol);
}

}  // namespace

CudaHooks const* CudaHooks::find() {
  void* library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (!library) return nullptr;
  static CudaHooks const hooks{lookUp<decltype(&trtDoubleEnqueue)>(library, "trtDoubleEnqueue"),
                               lookUp<decltype(&trtDoubleSynchronize)>(library, "trtDoubleSynchronize"),
                               lookUp<decltype(&trtDoubleCapturing)>(library, "trtDoubleCapturing"),
                               lookUp<decltype(&trtDoubleRequireContext)>(library, "trtDoubleRequireContext"),
                               lookUp<decltype(&trtDoubleAllocate)>(library, "trtDoubleAllocate"),
                               lookUp<decltype(&trtDoubleRelease)>(library, "trtDoubleRelease")};
  dlclose(library);
  return &hooks;
}

size_t bytesOf(nvinfer1::DataType type) {
  using nvinfer1::DataType;
  switch (type) {
    case DataType::kFLOAT:
    case DataType::kINT32:
      return 4;
    case DataType::kHALF:
    case DataType::kBF16:
      return 2;
    case DataType::kINT64:
      return 8;
    default:
      return 1;
  }
}

size_t bytesOf(nvinfer1::DataType type, std::vector<int64_t> const& shape) {
  size_t bytes = bytesOf(type);
  for (int64_t dim : shape) bytes *= static_cast<size_t>(dim);
  return bytes;
}

nvinfer1::DataType typeNamed(std::string const& name) {
  for (int32_t value = 0; value < 32; ++value) {
    auto const type = static_cast<nvinfer1::DataType>(value);
    char const* known = enumName(type);
    if (known && name == known) return type;
  }
  throw std::runtime_error("no data type " + name);
}

}  // namespace trt_double
