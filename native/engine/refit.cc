// LoadedEngine::refit: an engine with the weights of another checkpoint, without a build.

#include <NvInferRuntime.h>

#include <algorithm>
#include <memory>

#include "engine/engine_info.h"
#include "engine/runtime.h"
#include "loader/error.h"

namespace trtnode {
namespace {

// What `ask` lists: it tells how many there are, and gives as many as there is room for.
template <class Ask>
std::vector<std::string> namesOf(Ask&& ask) {
  std::vector<char const*> names(static_cast<size_t>(std::max(ask(0, nullptr), 0)));
  if (!names.empty()) ask(static_cast<int32_t>(names.size()), names.data());
  // Null: weights without a name, which nobody can give.
  return {names.begin(), std::remove(names.begin(), names.end(), nullptr)};
}

std::string listOf(std::vector<std::string> const& names) {
  constexpr size_t kMost = 20;
  std::string list;
  for (size_t index = 0; index < std::min(names.size(), kMost); ++index)
    list += (index == 0 ? "\"" : ", \"") + names[index] + "\"";
  return names.size() > kMost ? list + " and " + std::to_string(names.size() - kMost) + " more" : list;
}

void give(nvinfer1::IRefitter& refitter, NamedWeights const& weights) {
  nvinfer1::Weights const wanted = refitter.getWeightsPrototype(weights.name.c_str());
  std::string const what = "weights \"" + weights.name + "\"";
  if (wanted.count < 0) {
    std::vector<std::string> const all =
        namesOf([&](int32_t size, char const** names) { return refitter.getAllWeights(size, names); });
    throw Error(ErrorCode::kInvalidInput, "the engine has no " + what, "it has " + listOf(all));
  }
  ElementType const* const type = findElementType(weights.type);
  if (type == nullptr) throw Error(ErrorCode::kInvalidInput, what + ": TensorRT has no type " + weights.type);
  auto const count = static_cast<int64_t>(weights.data.size / type->bytes);
  if (count != wanted.count) {
    throw Error(ErrorCode::kInvalidInput, what + ": expected " + std::to_string(wanted.count) +
                                              " elements, received " + std::to_string(count));
  }
  if (!refitter.setNamedWeights(weights.name.c_str(), {type->type, weights.data.data.get(), count})) {
    throw Error(ErrorCode::kInvalidInput, what + ": TensorRT did not take elements of type " + weights.type,
                "give the type that the engine was built from");
  }
}

}  // namespace

void LoadedEngine::refit(std::vector<NamedWeights> const& weights) {
  if (!engine_->isRefittable()) {
    throw Error(ErrorCode::kUnsupported, "the engine cannot be refitted", "build it with refittable: true");
  }
  if (api_.createRefitter == nullptr) {
    throw Error(ErrorCode::kUnsupported, "this TensorRT library has no refitter", "use the whole library");
  }
  forgetErrors();
  std::unique_ptr<nvinfer1::IRefitter> const refitter(static_cast<nvinfer1::IRefitter*>(
      api_.createRefitter(engine_.get(), logger_.get(), NV_TENSORRT_VERSION)));
  if (refitter == nullptr) {
    throw Error(ErrorCode::kInferenceFailed, "TensorRT made no refitter:\n" + errors());
  }
  for (NamedWeights const& each : weights) give(*refitter, each);
  std::vector<std::string> const missing =
      namesOf([&](int32_t size, char const** names) { return refitter->getMissingWeights(size, names); });
  if (!missing.empty()) {
    throw Error(ErrorCode::kInvalidInput,
                "weights are missing that belong to those given: " + listOf(missing),
                "the build joined them with others, so that TensorRT needs them all");
  }
  ++refits_;
  if (!refitter->refitCudaEngine()) {
    throw Error(
        ErrorCode::kInferenceFailed,
        "TensorRT did not refit the engine, which may have some of the new weights and not others:\n" +
            errors(),
        "refit it again, or load it again");
  }
}

}  // namespace trtnode
