// What the library shows to the world: its creators, asked for (getCreators, getPluginCreators: trtexec's
// --plugins and
// --dynamicPlugins, Polygraphy, IPluginRegistry::loadLibrary) or given on loading (dlopen, as Triton and
// Python do).
//
// Both together are dangerous: TensorRT 10.15's loadLibrary returns null for a library whose creators are
// registered already, closes it, and keeps a dangling creator. So whoever asks gets the creators
// unregistered, and whatever this library registered itself is taken back before it goes.
#include <array>
#include <mutex>
#include <vector>

#include "common/boundary.h"
#include "common/plugin_v2.h"
#include "common/plugin_v3.h"
#include "layer_norm/layer_norm.h"
#include "prelu/prelu.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// Weak: null where TensorRT is not loaded, or loaded for others alone (RTLD_LOCAL).
extern "C" __attribute__((weak)) nvinfer1::IPluginRegistry* getPluginRegistry() noexcept;

namespace tensorrt_node {
namespace {

class Library {
 public:
  Library() : kinds_{layerNormKind(), preluKind()} {
    for (OperatorKind const& kind : kinds_) creatorsV2_.push_back(new CreatorV2(kind));
    for (auto* creator : creatorsV2_) creators_.push_back(creator);
#if TENSORRT_NODE_HAS_PLUGIN_V3
    for (OperatorKind const& kind : kinds_) creatorsV3_.push_back(new CreatorV3(kind));
    for (auto* creator : creatorsV3_) creators_.push_back(creator);
#endif
    nvinfer1::IPluginRegistry* const registry = getPluginRegistry == nullptr ? nullptr : getPluginRegistry();
    if (registry == nullptr) return;
    for (CreatorBase* creator : creators_) {
      if (registry->registerCreator(*creator, "")) registered_.push_back(creator);
    }
  }

  ~Library() {
    takeBack();
    for (auto* creator : creatorsV2_) delete static_cast<CreatorV2*>(creator);
#if TENSORRT_NODE_HAS_PLUGIN_V3
    for (auto* creator : creatorsV3_) delete creator;
#endif
  }

  Library(Library const&) = delete;
  Library& operator=(Library const&) = delete;

  /** Deregisters what this library registered itself. */
  void takeBack() noexcept {
    guarded("registration", 0, [&] {
      std::lock_guard<std::mutex> const lock(mutex_);
      for (CreatorBase* creator : registered_) getPluginRegistry()->deregisterCreator(*creator);
      registered_.clear();
      return 0;
    });
  }

  std::vector<CreatorBase*> const& creators() const { return creators_; }
  std::vector<nvinfer1::IPluginCreator*> const& creatorsV2() const { return creatorsV2_; }

 private:
  std::array<OperatorKind, 2> kinds_;
  std::vector<nvinfer1::IPluginCreator*> creatorsV2_;
#if TENSORRT_NODE_HAS_PLUGIN_V3
  std::vector<CreatorV3*> creatorsV3_;
#endif
  std::vector<CreatorBase*> creators_;
  std::vector<CreatorBase*> registered_;
  std::mutex mutex_;
};

Library library;

}  // namespace
}  // namespace tensorrt_node

#define EXPORTED extern "C" __attribute__((visibility("default")))

#if TENSORRT_NODE_HAS_PLUGIN_V3
EXPORTED nvinfer1::IPluginCreatorInterface* const* getCreators(int32_t& count) {
  tensorrt_node::library.takeBack();
  count = static_cast<int32_t>(tensorrt_node::library.creators().size());
  return tensorrt_node::library.creators().data();
}

EXPORTED void setLoggerFinder(nvinfer1::ILoggerFinder* finder) {
  tensorrt_node::useLoggerFinder(finder);
}
#endif

EXPORTED nvinfer1::IPluginCreator* const* getPluginCreators(int32_t& count) {
  tensorrt_node::library.takeBack();
  count = static_cast<int32_t>(tensorrt_node::library.creatorsV2().size());
  return tensorrt_node::library.creatorsV2().data();
}
