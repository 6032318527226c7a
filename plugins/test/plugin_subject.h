// A plugin of either version behind the few calls that a test makes, with the fields it is created from.
#pragma once

#include <NvInfer.h>
#include <dlfcn.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "probe_io.h"

namespace probe {

using namespace nvinfer1;

inline void require(bool condition, std::string const& what) {
  if (!condition) throw std::runtime_error(what);
}

template <class Function>
Function symbol(void* library, char const* name) {
  auto const found = reinterpret_cast<Function>(dlsym(library, name));
  require(found != nullptr, std::string("no ") + name);
  return found;
}

inline void* open(char const* path, int flags = RTLD_NOW | RTLD_LOCAL) {
  void* const library = dlopen(path, flags);
  require(library != nullptr, library == nullptr ? dlerror() : "");
  return library;
}

inline std::vector<float> readFile(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  require(file.good(), "cannot read " + path);
  std::vector<char> const bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

/** The fields of a node, with their data. */
struct Fields {
  std::vector<PluginField> list;
  std::vector<std::string> names;
  std::vector<std::vector<float>> floats;
  std::vector<int32_t> integers;
  PluginFieldCollection collection{};

  void parse(std::vector<std::string> const& arguments) {
    names.reserve(64), floats.reserve(64), integers.reserve(64);
    for (std::string const& argument : arguments) {
      size_t const colon = argument.find(':'), equals = argument.find('=');
      if (colon == std::string::npos || equals == std::string::npos || colon > equals) continue;
      std::string const kind = argument.substr(0, colon), value = argument.substr(equals + 1);
      names.push_back(argument.substr(colon + 1, equals - colon - 1));
      if (kind == "int") {
        integers.push_back(std::stoi(value));
        list.emplace_back(names.back().c_str(), &integers.back(), PluginFieldType::kINT32, 1);
      } else if (kind == "float") {
        floats.push_back({std::stof(value)});
        list.emplace_back(names.back().c_str(), floats.back().data(), PluginFieldType::kFLOAT32, 1);
      } else if (kind == "floats") {
        floats.push_back(readFile(value));
        list.emplace_back(names.back().c_str(), floats.back().data(), PluginFieldType::kFLOAT32,
                          static_cast<int32_t>(floats.back().size()));
      } else if (kind == "chars") {
        list.emplace_back(names.back().c_str(), argument.c_str() + equals + 1, PluginFieldType::kCHAR,
                          static_cast<int32_t>(value.size()));
      } else {
        throw std::invalid_argument("unknown kind of field " + kind);
      }
    }
    collection.nbFields = static_cast<int32_t>(list.size());
    collection.fields = list.data();
  }
};

inline IPluginCreatorInterface* creatorOf(void* library, std::string const& name,
                                          std::string const& version) {
  int32_t count = 0;
  auto* const* const creators =
      symbol<IPluginCreatorInterface* const* (*)(int32_t&)>(library, "getCreators")(count);
  for (int32_t i = 0; i < count; ++i) {
    bool const isV2 = std::strcmp(creators[i]->getInterfaceInfo().kind, "PLUGIN CREATOR_V1") == 0;
    if (isV2 != (version == "1")) continue;
    char const* const found = isV2 ? static_cast<IPluginCreator*>(creators[i])->getPluginName()
                                   : static_cast<IPluginCreatorV3One*>(creators[i])->getPluginName();
    if (found == name) return creators[i];
  }
  throw std::runtime_error("no creator " + name + " " + version);
}

/** One plugin of either version, behind the few calls that both have. */
class Subject {
 public:
  Subject(IPluginCreatorInterface* creator, std::string const& version, PluginFieldCollection const* fields)
      : creator_(creator), isV2_(version == "1") {
    if (isV2_) {
      v2_ = static_cast<IPluginV2DynamicExt*>(
          static_cast<IPluginCreator*>(creator)->createPlugin("probe", fields));
    } else {
      v3_ = static_cast<IPluginCreatorV3One*>(creator)->createPlugin("probe", fields, TensorRTPhase::kBUILD);
    }
  }
  ~Subject() { destroy(); }
  bool exists() const { return v2_ != nullptr || v3_ != nullptr; }

  bool supports(int32_t position, std::vector<DynamicPluginTensorDesc> const& tensors, int32_t in,
                int32_t out) {
    if (!isV2_) return build()->supportsFormatCombination(position, tensors.data(), in, out);
    std::vector<PluginTensorDesc> plain;
    for (auto const& tensor : tensors) plain.push_back(tensor.desc);
    return v2_->supportsFormatCombination(position, plain.data(), in, out);
  }
  DataType outputType(int32_t index, std::vector<DataType> const& inputs, int32_t outputs) {
    if (isV2_) return v2_->getOutputDataType(index, inputs.data(), static_cast<int32_t>(inputs.size()));
    std::vector<DataType> types(static_cast<size_t>(outputs));
    require(build()->getOutputDataTypes(types.data(), outputs, inputs.data(),
                                        static_cast<int32_t>(inputs.size())) == 0,
            "getOutputDataTypes failed");
    return types[static_cast<size_t>(index)];
  }
  int32_t outputs() { return isV2_ ? v2_->getNbOutputs() : build()->getNbOutputs(); }
  void configure(std::vector<DynamicPluginTensorDesc> const& in,
                 std::vector<DynamicPluginTensorDesc> const& out) {
    auto const inputs = static_cast<int32_t>(in.size()), outputs = static_cast<int32_t>(out.size());
    if (isV2_) return v2_->configurePlugin(in.data(), inputs, out.data(), outputs);
    require(build()->configurePlugin(in.data(), inputs, out.data(), outputs) == 0, "configurePlugin failed");
  }
  /** Replaces the plugin by a clone, and that by what its serialized form gives. */
  void throughTheEngine() {
    if (isV2_) {
      auto* const clone = v2_->clone();
      require(clone != nullptr, "clone failed");
      std::vector<char> bytes(clone->getSerializationSize());
      clone->serialize(bytes.data());
      clone->destroy();
      destroy();
      v2_ = static_cast<IPluginV2DynamicExt*>(
          static_cast<IPluginCreator*>(creator_)->deserializePlugin("probe", bytes.data(), bytes.size()));
    } else {
      IPluginV3* const clone = v3_->clone();
      require(clone != nullptr, "clone failed");
      auto* const runtime =
          static_cast<IPluginV3OneRuntime*>(clone->getCapabilityInterface(PluginCapabilityType::kRUNTIME));
      IPluginV3* const restored = static_cast<IPluginCreatorV3One*>(creator_)->createPlugin(
          "probe", runtime->getFieldsToSerialize(), TensorRTPhase::kRUNTIME);
      delete clone;
      destroy();
      v3_ = restored;
    }
    require(exists(), "deserialization failed");
  }
  void makeReady(std::vector<PluginTensorDesc> const& in, std::vector<PluginTensorDesc> const& out) {
    if (isV2_) return require(v2_->initialize() == 0, "initialize failed");
    IPluginV3* const attached = runtime()->attachToContext(nullptr);
    require(attached != nullptr, "attachToContext failed");
    destroy();
    v3_ = attached;
    require(runtime()->onShapeChange(in.data(), static_cast<int32_t>(in.size()), out.data(),
                                     static_cast<int32_t>(out.size())) == 0,
            "onShapeChange failed");
  }
  int32_t enqueue(std::vector<PluginTensorDesc> const& in, std::vector<PluginTensorDesc> const& out,
                  void const* const* inputs, void* const* results) {
    return isV2_ ? v2_->enqueue(in.data(), out.data(), inputs, results, nullptr, nullptr)
                 : runtime()->enqueue(in.data(), out.data(), inputs, results, nullptr, nullptr);
  }

 private:
  IPluginV3OneBuild* build() {
    return static_cast<IPluginV3OneBuild*>(v3_->getCapabilityInterface(PluginCapabilityType::kBUILD));
  }
  IPluginV3OneRuntime* runtime() {
    return static_cast<IPluginV3OneRuntime*>(v3_->getCapabilityInterface(PluginCapabilityType::kRUNTIME));
  }
  void destroy() {
    if (v2_ != nullptr) v2_->destroy();
    delete v3_;
    v2_ = nullptr, v3_ = nullptr;
  }
  IPluginCreatorInterface* creator_;
  bool isV2_;
  IPluginV2DynamicExt* v2_ = nullptr;
  IPluginV3* v3_ = nullptr;
};

}  // namespace probe
