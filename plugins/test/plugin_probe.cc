// Takes a plugin library through what TensorRT does with it, without an engine, and prints what came of it as
// JSON.
//   plugin_probe inspect LIBRARY
//   plugin_probe run LIBRARY NAME VERSION [int:axis=1] [float:epsilon=1e-5] [floats:scale=FILE] [outputs=1]
//   [format=hwc8] [time=1]
//                [type=float32] in=2,3,4:FILE … out=FILE …          the emulated build: tensors are host
//                memory
//   plugin_probe refuse LIBRARY NAME VERSION FIELDS…                 a creator that must return null
//   plugin_probe damage LIBRARY                                      every prefix and every flipped byte of a
//   plugin plugin_probe registry LIBRARY NVINFER ORDER SCOPE                 the real registry; ORDER load |
//   open | open-load
// A file is raw fp32, whatever the type: it is rounded on the way in and widened on the way out.
#include <algorithm>
#include <chrono>

#include "plugin_subject.h"

namespace {

using namespace nvinfer1;
using probe::creatorOf;
using probe::Fields;
using probe::Json;
using probe::open;
using probe::readFile;
using probe::require;
using probe::Subject;
using probe::symbol;

struct Tensor {
  DynamicPluginTensorDesc desc{};
  std::vector<char> data;
  std::string file;
};

Dims dimsOf(std::string const& text) {
  Dims dims{};
  std::istringstream list(text);
  for (std::string extent; std::getline(list, extent, ',');) dims.d[dims.nbDims++] = std::stoll(extent);
  return dims;
}

int64_t countOf(Dims const& dims) {
  int64_t count = 1;
  for (int32_t d = 0; d < dims.nbDims; ++d) count *= dims.d[d];
  return count;
}

template <class T>
std::vector<char> narrowed(std::vector<float> const& values) {
  std::vector<char> bytes(values.size() * sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T const value = probe::narrow<T>(values[i]);
    std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return bytes;
}

template <class T>
std::vector<float> widened(std::vector<char> const& bytes) {
  std::vector<float> values(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = probe::widen(value);
  }
  return values;
}

/** Row-major [N, C, …] to channels last, C padded to a multiple of 8 (`back` false), or from there. */
std::vector<float> channelsLast(std::vector<float> const& values, Dims const& dims, bool back) {
  int64_t const images = dims.d[0], channels = dims.d[1], padded = (channels + 7) / 8 * 8;
  int64_t const plane = countOf(dims) / (images * channels);
  std::vector<float> result(static_cast<size_t>(images * plane * (back ? channels : padded)));
  for (int64_t n = 0; n < images; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < plane; ++i) {
        auto const rowMajor = static_cast<size_t>((n * channels + c) * plane + i);
        auto const last = static_cast<size_t>((n * plane + i) * padded + c);
        result[back ? rowMajor : last] = values[back ? last : rowMajor];
      }
    }
  }
  return result;
}

/** What `enqueue` costs at least: a virtual call with its arguments that does nothing. */
class Enqueuing {
 public:
  virtual ~Enqueuing() = default;
  virtual int32_t enqueue(PluginTensorDesc const*, PluginTensorDesc const*, void const* const*, void* const*,
                          void*, cudaStream_t) noexcept = 0;
};

class Idle final : public Enqueuing {
 public:
  __attribute__((noinline)) int32_t enqueue(PluginTensorDesc const*, PluginTensorDesc const*,
                                            void const* const*, void* const*, void*,
                                            cudaStream_t) noexcept override {
    asm volatile("");  // or the call is optimized away
    return 0;
  }
};

/** The quickest of several rounds, by the call. */
template <class Work>
double nanoseconds(Work work) {
  constexpr int kRounds = 20, kCalls = 20000;
  double best = INFINITY;
  for (int round = 0; round < kRounds; ++round) {
    auto const start = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) work();
    std::chrono::duration<double, std::nano> const elapsed = std::chrono::steady_clock::now() - start;
    best = std::min(best, elapsed.count() / kCalls);
  }
  return best;
}

template <class T>
void run(char** values, std::vector<std::string> const& arguments, DataType type) {
  void* const library = open(values[2]);
  Fields fields;
  fields.parse(arguments);
  bool const hwc8 = std::find(arguments.begin(), arguments.end(), "format=hwc8") != arguments.end();
  std::vector<Tensor> in, out;
  for (std::string const& argument : arguments) {
    if (argument.rfind("in=", 0) == 0) {
      size_t const colon = argument.find(':');
      Tensor tensor;
      Dims const dims = dimsOf(argument.substr(3, colon - 3));
      bool const last = hwc8 && in.empty();
      tensor.desc.desc = {dims, type, last ? TensorFormat::kHWC8 : TensorFormat::kLINEAR, 1.0f};
      auto const values = readFile(argument.substr(colon + 1));
      tensor.data = narrowed<T>(last ? channelsLast(values, dims, false) : values);
      in.push_back(tensor);
    } else if (argument.rfind("out=", 0) == 0) {
      Tensor tensor;
      tensor.file = argument.substr(4);
      out.push_back(tensor);
    }
  }
  Subject subject(creatorOf(library, values[3], values[4]), values[4], &fields.collection);
  require(subject.exists(), "createPlugin returned null");
  require(subject.outputs() == static_cast<int32_t>(out.size()), "another number of outputs");
  std::vector<DataType> types(in.size(), type);
  std::vector<DynamicPluginTensorDesc> descIn, descOut, all;
  for (Tensor const& tensor : in) descIn.push_back(tensor.desc);
  for (size_t i = 0; i < out.size(); ++i) {
    Tensor& tensor = out[i];
    tensor.desc.desc = in[0].desc.desc;
    tensor.desc.desc.type =
        subject.outputType(static_cast<int32_t>(i), types, static_cast<int32_t>(out.size()));
    tensor.data.resize(in[0].data.size() * (i == 0 ? sizeof(T) : sizeof(float)) / sizeof(T));
    descOut.push_back(tensor.desc);
  }
  all = descIn;
  all.insert(all.end(), descOut.begin(), descOut.end());
  for (size_t i = 0; i < all.size(); ++i) {
    require(subject.supports(static_cast<int32_t>(i), all, static_cast<int32_t>(in.size()),
                             static_cast<int32_t>(out.size())),
            "format refused at " + std::to_string(i));
  }
  subject.configure(descIn, descOut);
  subject.throughTheEngine();
  std::vector<PluginTensorDesc> plainIn, plainOut;
  std::vector<void const*> inputs;
  std::vector<void*> results;
  for (Tensor const& tensor : in) plainIn.push_back(tensor.desc.desc), inputs.push_back(tensor.data.data());
  for (Tensor& tensor : out) plainOut.push_back(tensor.desc.desc), results.push_back(tensor.data.data());
  subject.makeReady(plainIn, plainOut);
  auto const calls = symbol<void (*)(uint64_t*)>(library, "emulatorCalls");
  uint64_t before[4], after[4];
  calls(before);
  require(subject.enqueue(plainIn, plainOut, inputs.data(), results.data()) == 0, "enqueue failed");
  calls(after);
  for (size_t i = 0; i < out.size(); ++i) {
    auto result = i == 0 ? widened<T>(out[i].data) : widened<float>(out[i].data);
    if (hwc8) result = channelsLast(result, in[0].desc.desc.dims, true);
    std::ofstream(out[i].file, std::ios::binary)
        .write(reinterpret_cast<char const*>(result.data()),
               static_cast<std::streamsize>(result.size() * sizeof(float)));
  }
  Json findings;
  findings.add("launches", static_cast<double>(after[0] - before[0]))
      .add("allocations", static_cast<double>(after[1] - before[1]))
      .add("synchronizations", static_cast<double>(after[2] - before[2]));
  if (std::find(arguments.begin(), arguments.end(), "time=1") != arguments.end()) {
    symbol<void (*)()>(library, "emulatorEmptyLaunches")();
    Idle idle;
    // The optimizer must not see which class it calls.
    Enqueuing* const volatile nothing = &idle;
    double const host =
        nanoseconds([&] { subject.enqueue(plainIn, plainOut, inputs.data(), results.data()); });
    double const empty = nanoseconds([&] {
      nothing->enqueue(plainIn.data(), plainOut.data(), inputs.data(), results.data(), nullptr, nullptr);
    });
    findings.add("hostNanoseconds", host).add("emptyCallNanoseconds", empty).add("ratio", host / empty);
  }
  std::puts(findings.text().c_str());
}

Json creatorJson(IPluginCreatorInterface* creator) {
  std::string const kind = creator->getInterfaceInfo().kind;
  bool const isV2 = kind == "PLUGIN CREATOR_V1";
  auto* const v2 = isV2 ? static_cast<IPluginCreator*>(creator) : nullptr;
  auto* const v3 = isV2 ? nullptr : static_cast<IPluginCreatorV3One*>(creator);
  PluginFieldCollection const* const fields = isV2 ? v2->getFieldNames() : v3->getFieldNames();
  std::string names;
  for (int32_t i = 0; i < fields->nbFields; ++i)
    names += (i > 0 ? "," : "") + std::string(fields->fields[i].name);
  return Json()
      .add("name", std::string(isV2 ? v2->getPluginName() : v3->getPluginName()))
      .add("version", std::string(isV2 ? v2->getPluginVersion() : v3->getPluginVersion()))
      .add("kind", kind)
      .add("fields", names);
}

void printCreators(IPluginCreatorInterface* const* creators, int32_t count) {
  std::string all;
  for (int32_t i = 0; i < count; ++i) all += (i > 0 ? "," : "") + creatorJson(creators[i]).text();
  std::printf("[%s]\n", all.c_str());
}

/** No damaged plugin may crash its creator; none that lacks bytes may be taken. */
void damage(char const* path) {
  void* const library = open(path);
  int taken = 0, refused = 0;
  for (char const* name : {"CustomLayerNormalization", "CustomPRelu"}) {
    auto* const creator = static_cast<IPluginCreator*>(creatorOf(library, name, "1"));
    float const weights[] = {1, 2, 3};
    bool const isNorm = std::strcmp(name, "CustomPRelu") != 0;
    PluginField const field(isNorm ? "scale" : "slope", weights, PluginFieldType::kFLOAT32, 3);
    PluginFieldCollection const fields{1, &field};
    IPluginV2* const plugin = creator->createPlugin("probe", &fields);
    std::vector<char> const whole = [&] {
      std::vector<char> bytes(plugin->getSerializationSize());
      plugin->serialize(bytes.data());
      return bytes;
    }();
    plugin->destroy();
    auto const attempt = [&](std::vector<char> const& bytes) {
      IPluginV2* const restored = creator->deserializePlugin("probe", bytes.data(), bytes.size());
      restored == nullptr ? ++refused : ++taken;
      if (restored != nullptr) restored->destroy();
      return restored != nullptr;
    };
    require(attempt(whole), "sound data refused");
    for (size_t size = 0; size < whole.size(); ++size) {
      require(!attempt({whole.begin(), whole.begin() + static_cast<long>(size)}), "a prefix was taken");
    }
    std::vector<char> more = whole;
    more.push_back(0);
    require(!attempt(more), "data with more at its end was taken");
    for (size_t i = 0; i < whole.size(); ++i) {
      std::vector<char> flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ 0xff);
      attempt(flipped);
    }
  }
  std::puts(Json().add("taken", taken).add("refused", refused).text().c_str());
}

/** TensorRT's own registry, with the library given to it in every order there is. */
void registry(char** values) {
  std::string const order = values[4], scope = values[5];
  open(values[3], RTLD_NOW | (scope == "global" ? RTLD_GLOBAL : RTLD_LOCAL));
  auto* const registry =
      symbol<IPluginRegistry* (*)()>(dlopen(values[3], RTLD_NOW | RTLD_NOLOAD), "getPluginRegistry")();
  require(registry != nullptr, "no registry");
  auto const mine = [&](char const* name, char const* version) {
    return registry->getCreator(name, version, "");
  };
  void* opened = nullptr;
  bool selfRegistered = false;
  if (order != "load") {
    opened = open(values[2]);
    selfRegistered = mine("CustomPRelu", "1") != nullptr;
  }
  void* handle = nullptr;
  if (order != "open") {
    handle = registry->loadLibrary(values[2]);
    require(handle != nullptr, "loadLibrary returned null");
  }
  int found = 0;
  for (char const* name : {"CustomLayerNormalization", "CustomPRelu"}) {
    for (char const* version : {"1", "2"}) {
      IPluginCreatorInterface* const creator = mine(name, version);
      if (creator == nullptr) continue;
      ++found;
      PluginFieldCollection const none{};
      Subject subject(creator, version, &none);
      require(subject.exists(), "createPlugin returned null");
      subject.throughTheEngine();
    }
  }
  if (handle != nullptr) registry->deregisterLibrary(handle);
  if (opened != nullptr) dlclose(opened);
  bool const unloaded = dlopen(values[2], RTLD_NOW | RTLD_NOLOAD) == nullptr;
  int left = 0;
  for (char const* name : {"CustomLayerNormalization", "CustomPRelu"}) {
    for (char const* version : {"1", "2"}) left += mine(name, version) != nullptr;
  }
  std::puts(Json()
                .add("selfRegistered", selfRegistered)
                .add("found", found)
                .add("left", left)
                .add("unloaded", unloaded)
                .text()
                .c_str());
}

}  // namespace

int main(int count, char** values) {
  try {
    std::string const what = count > 2 ? values[1] : "";
    std::vector<std::string> const arguments(values + std::min(count, 5), values + count);
    if (what == "inspect") {
      int32_t creators = 0;
      auto* const* const all =
          symbol<IPluginCreatorInterface* const* (*)(int32_t&)>(open(values[2]), "getCreators")(creators);
      printCreators(all, creators);
    } else if (what == "run") {
      std::string type = "float32";
      for (std::string const& argument : arguments) {
        if (argument.rfind("type=", 0) == 0) type = argument.substr(5);
      }
      if (type == "float32") run<float>(values, arguments, DataType::kFLOAT);
      if (type == "float16") run<__half>(values, arguments, DataType::kHALF);
      if (type == "bfloat16") run<__nv_bfloat16>(values, arguments, DataType::kBF16);
    } else if (what == "refuse") {
      Fields fields;
      fields.parse(arguments);
      Subject subject(creatorOf(open(values[2]), values[3], values[4]), values[4], &fields.collection);
      require(!subject.exists(), "it was taken");
    } else if (what == "damage") {
      damage(values[2]);
    } else if (what == "registry" && count == 6) {
      registry(values);
    } else {
      throw std::invalid_argument("unknown probe '" + what + "'");
    }
    return 0;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
