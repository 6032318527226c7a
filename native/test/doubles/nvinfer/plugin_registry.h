// The registry of plugin creators that a builder or runtime of the TensorRT double has.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support.h"

namespace trt_double {

/** Opens libraries for real; as TensorRT 10.15 was seen to, it refuses one that brings what is there already.
 */
class PluginRegistryDouble final : public nvinfer1::PluginRegistryStub {
 public:
  explicit PluginRegistryDouble(nvinfer1::ILogger& logger) : logger_(logger) {}
  ~PluginRegistryDouble() noexcept override;

  PluginLibraryHandle loadLibrary(nvinfer1::AsciiChar const* path) noexcept override;
  void deregisterLibrary(PluginLibraryHandle handle) noexcept override;

  /** Whether a loaded library has a creator whose "name version namespace" begins so. */
  bool has(std::string const& key) const;
  /** The paths of the loaded libraries. */
  Json loaded() const;

 private:
  struct Entry {
    std::string path;
    std::vector<std::string> creators;  // "name version namespace"
  };
  nvinfer1::ILogger& logger_;
  std::map<void*, Entry> libraries_;
};

}  // namespace trt_double
