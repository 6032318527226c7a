// Stand-in for tests: plans of the TensorRT double.
#include "plan.h"

#include <NvInferVersion.h>

#include <cstring>
#include <stdexcept>

namespace trt_double {
namespace {

constexpr size_t kHeaderBytes = 64;
#ifdef TRT_DOUBLE_RTX
constexpr char kMagic[] = "vtrt";
#else
constexpr char kMagic[] = "ftrt";
#endif
constexpr unsigned char kVersion[4] = {NV_TENSORRT_MAJOR, NV_TENSORRT_MINOR, NV_TENSORRT_PATCH,
                                       static_cast<unsigned char>(NV_TENSORRT_BUILD)};

std::string versionText(unsigned char const* version) {
  return std::to_string(version[0]) + "." + std::to_string(version[1]) + "." + std::to_string(version[2]) +
         "." + std::to_string(version[3]);
}

}  // namespace

std::string writePlan(Json const& content) {
  std::string plan(kHeaderBytes, '\0');
  plan += content.dump();
  uint64_t const length = plan.size();
  std::memcpy(&plan[0], kMagic, 4);
  std::memcpy(&plan[16], &length, sizeof length);
  std::memcpy(&plan[24], kVersion, sizeof kVersion);
  return plan;
}

Json readPlan(void const* blob, size_t size) {
  auto const* bytes = static_cast<unsigned char const*>(blob);
  if (!blob || size < kHeaderBytes || std::memcmp(bytes, kMagic, 4) != 0) {
    throw std::runtime_error(
        "IRuntime::deserializeCudaEngine: Error Code 1: Serialization (magicTag mismatch)");
  }
  if (std::memcmp(bytes + 24, kVersion, 2) != 0) {
    throw std::runtime_error(
        "IRuntime::deserializeCudaEngine: Error Code 6: API Usage Error (The engine plan file is not "
        "compatible with "
        "this version of TensorRT, expecting library version " +
        versionText(kVersion) + " got " + versionText(bytes + 24) + ", please rebuild.)");
  }
  uint64_t length;
  std::memcpy(&length, bytes + 16, sizeof length);
  if (length > size)
    throw std::runtime_error("IRuntime::deserializeCudaEngine: Error Code 1: Serialization (truncated)");
  return Json::parse(std::string(reinterpret_cast<char const*>(bytes) + kHeaderBytes, length - kHeaderBytes));
}

}  // namespace trt_double
