#include "engine/plugin_library.h"

#include <stdexcept>

#include "loader/error.h"
#include "loader/shared_library.h"

namespace trtnode {
namespace {

// TensorRT gives null and often not a word. The loader's own words are asked for only then: a library that
// was opened before may have registered itself, and TensorRT refuses what is registered already.
std::string reasonOf(std::string const& path, std::string const& errors) {
  std::string reason = errors.empty() ? "" : ":\n" + errors;
  try {
    SharedLibrary const library(path);
  } catch (std::runtime_error const& error) {
    reason += std::string(reason.empty() ? ": " : "\n") + error.what();
  }
  return reason.empty() ? ", and gave no reason: a creator of the same name and version may be there already"
                        : reason;
}

}  // namespace

PluginLibraries::PluginLibraries(nvinfer1::IPluginRegistry& registry, std::vector<std::string> const& paths,
                                 Logger const& logger)
    : registry_(registry) {
  for (std::string const& path : paths) {
    auto* const handle = registry_.loadLibrary(path.c_str());
    if (handle == nullptr) {
      for (auto* loaded : handles_) registry_.deregisterLibrary(loaded);
      throw Error(ErrorCode::kInvalidPlugin,
                  "TensorRT did not take the plugin library " + path + reasonOf(path, logger.errors()),
                  "tensorrt-node plugin inspect " + path);
    }
    handles_.push_back(handle);
  }
}

PluginLibraries::~PluginLibraries() {
  for (auto handle = handles_.rbegin(); handle != handles_.rend(); ++handle)
    registry_.deregisterLibrary(*handle);
}

}  // namespace trtnode
