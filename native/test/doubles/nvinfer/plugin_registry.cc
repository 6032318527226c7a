// Stand-in for tests: the plugin registry of the TensorRT double.
#include "plugin_registry.h"

#include <dlfcn.h>

#include <cstring>

namespace trt_double {
namespace {

std::string keyOf(nvinfer1::IPluginCreatorInterface& creator) {
  bool const isV2 = std::strcmp(creator.getInterfaceInfo().kind, "PLUGIN CREATOR_V1") == 0;
  auto const describe = [](auto& its) {
    return std::string(its.getPluginName()) + " " + its.getPluginVersion() + " " + its.getPluginNamespace();
  };
  return isV2 ? describe(static_cast<nvinfer1::IPluginCreator&>(creator))
              : describe(static_cast<nvinfer1::IPluginCreatorV3One&>(creator));
}

}  // namespace

PluginRegistryDouble::~PluginRegistryDouble() noexcept {
  for (auto const& [handle, entry] : libraries_)
    misuse("IPluginRegistry: " + entry.path + " was left loaded");
}

PluginRegistryDouble::PluginLibraryHandle PluginRegistryDouble::loadLibrary(
    nvinfer1::AsciiChar const* path) noexcept {
  if (injected(logger_, "IPluginRegistry::loadLibrary")) return nullptr;
  void* const library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  using GetCreators = nvinfer1::IPluginCreatorInterface* const* (*)(int32_t&);
  auto const getCreators = reinterpret_cast<GetCreators>(dlsym(library, "getCreators"));
  Entry entry{path, {}};
  int32_t count = 0;
  auto* const* const creators = getCreators == nullptr ? nullptr : getCreators(count);
  for (int32_t i = 0; i < count; ++i) entry.creators.push_back(keyOf(*creators[i]));
  bool taken = creators != nullptr;
  for (std::string const& key : entry.creators) taken = taken && !has(key);
  if (!taken) {
    dlclose(library);
    return nullptr;
  }
  addLive("pluginLibraries", 1);
  libraries_[library] = std::move(entry);
  return library;
}

void PluginRegistryDouble::deregisterLibrary(PluginLibraryHandle handle) noexcept {
  enter("IPluginRegistry::deregisterLibrary");
  if (libraries_.erase(handle) == 0) return misuse("IPluginRegistry::deregisterLibrary: no such library");
  addLive("pluginLibraries", -1);
  dlclose(handle);
}

bool PluginRegistryDouble::has(std::string const& wanted) const {
  for (auto const& [handle, entry] : libraries_) {
    for (std::string const& key : entry.creators) {
      if (key.rfind(wanted, 0) == 0) return true;
    }
  }
  return false;
}

Json PluginRegistryDouble::loaded() const {
  Json paths = Json::array();
  for (auto const& [handle, entry] : libraries_) paths.push(entry.path);
  return paths;
}

}  // namespace trt_double
