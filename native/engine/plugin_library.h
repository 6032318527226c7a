#pragma once

#include <NvInferRuntime.h>

#include <string>
#include <vector>

#include "engine/logger.h"

namespace trtnode {

// Plugin libraries in the registry of one builder or runtime, out of it again when this goes.
//
// That registry, and not the process's: TensorRT takes a creator's name, version and namespace once in a
// registry and refuses the library that brings it a second time, so that the second engine with the same
// plugins could not be loaded. (trtexec --dynamicPlugins does so, too, and the ONNX parser asks its builder's
// registry.)
class PluginLibraries {
 public:
  // Throws Error INVALID_PLUGIN, naming the library and what is known of the cause.
  PluginLibraries(nvinfer1::IPluginRegistry& registry, std::vector<std::string> const& paths,
                  Logger const& logger);
  // No plugin of theirs may be left.
  ~PluginLibraries();
  PluginLibraries(PluginLibraries const&) = delete;
  PluginLibraries& operator=(PluginLibraries const&) = delete;

 private:
  nvinfer1::IPluginRegistry& registry_;
  std::vector<nvinfer1::IPluginRegistry::PluginLibraryHandle> handles_;
};

}  // namespace trtnode
