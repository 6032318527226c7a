#include "binding/plugin_binding.h"

#include <memory>
#include <utility>

#include "binding/error_to_js.h"
#include "binding/handle.h"
#include "binding/values.h"
#include "plugins/plugin_bench.h"

namespace trtnode {
namespace {

struct BenchHandle {
  static constexpr napi_type_tag kTag = {0x7472746e6f646550, 0x5b0e3f7a9c2d4861};

  PluginBench bench;
};

Napi::Object creatorToJs(Napi::Env env, CreatorInfo const& creator) {
  auto object = Napi::Object::New(env);
  object.Set("name", creator.name);
  object.Set("version", creator.version);
  object.Set("namespace", creator.space);
  object.Set("interface", creator.interface);
  auto fields = Napi::Array::New(env, creator.fields.size());
  for (uint32_t index = 0; index < creator.fields.size(); ++index) {
    auto field = Napi::Object::New(env);
    field.Set("name", creator.fields[index].name);
    field.Set("type", creator.fields[index].type);
    field.Set("length", creator.fields[index].length);
    fields.Set(index, field);
  }
  object.Set("fields", fields);
  return object;
}

BenchRequest requestOf(Napi::Object object) {
  BenchRequest request;
  request.name = stringOf(object, "name");
  request.version = stringOf(object, "version");
  request.space = stringOf(object, "namespace");
  request.format = stringOf(object, "format");
  request.device = intOf(object, "device");
  request.iterations = intOf(object, "iterations");
  auto const fields = object.Get("fields").As<Napi::Array>();
  for (uint32_t index = 0; index < fields.Length(); ++index) {
    auto const field = fields.Get(index).As<Napi::Object>();
    request.fields.push_back({stringOf(field, "name"), stringOf(field, "type"),
                              blobOf(field.Get("data"), "data"), intOf(field, "length")});
  }
  auto const inputs = object.Get("inputs").As<Napi::Array>();
  for (uint32_t index = 0; index < inputs.Length(); ++index) {
    auto const input = inputs.Get(index).As<Napi::Object>();
    request.inputs.push_back(
        {stringOf(input, "type"), shapeOf(input.Get("dims"), "dims"), blobOf(input.Get("data"), "data")});
  }
  return request;
}

template <class Number>
Napi::Array numbersToJs(Napi::Env env, std::vector<Number> const& numbers) {
  auto array = Napi::Array::New(env, numbers.size());
  for (uint32_t index = 0; index < numbers.size(); ++index)
    array.Set(index, static_cast<double>(numbers[index]));
  return array;
}

Napi::Object resultToJs(Napi::Env env, BenchResult& result) {
  auto object = Napi::Object::New(env);
  object.Set("interface", result.interface);
  object.Set("device", result.device);
  auto outputs = Napi::Array::New(env, result.outputs.size());
  for (uint32_t index = 0; index < result.outputs.size(); ++index) {
    BenchTensor& tensor = result.outputs[index];
    auto output = Napi::Object::New(env);
    output.Set("type", tensor.type);
    output.Set("dims", toJs(env, tensor.dims));
    output.Set("data", toJs(env, std::move(tensor.data)));
    outputs.Set(index, output);
  }
  object.Set("outputs", outputs);
  object.Set("inputFormats", toJs(env, result.inputFormats));
  object.Set("outputFormats", toJs(env, result.outputFormats));
  object.Set("workspaceBytes", static_cast<double>(result.workspaceBytes));
  object.Set("serializedBytes", static_cast<double>(result.serializedBytes));
  object.Set("calls", numbersToJs(env, result.calls));
  object.Set("milliseconds", numbersToJs(env, result.milliseconds));
  object.Set("bytesMoved", static_cast<double>(result.bytesMoved));
  object.Set("peakBandwidth", result.peakBandwidth);
  return object;
}

}  // namespace

Napi::Value openPlugins(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    auto const request = info[0].As<Napi::Object>();
    auto const opened = std::make_shared<BenchHandle>(
        BenchHandle{PluginBench(stringOf(request, "path"), stringsOf(request.Get("preload"), "preload"))});
    std::vector<CreatorInfo> const creators = opened->bench.creators();
    auto list = Napi::Array::New(env, creators.size());
    for (uint32_t index = 0; index < creators.size(); ++index)
      list.Set(index, creatorToJs(env, creators[index]));
    auto object = Napi::Object::New(env);
    object.Set("handle", makeHandle(env, opened));
    object.Set("creators", list);
    object.Set("emulated", opened->bench.emulated());
    return object;
  });
}

Napi::Value pluginInterface(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    auto const creator = static_cast<size_t>(info[1].As<Napi::Number>().Uint32Value());
    return Napi::String::New(env, fromHandle<BenchHandle>(info[0])->bench.interfaceOf(creator));
  });
}

Napi::Value runPlugin(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    BenchResult result = fromHandle<BenchHandle>(info[0])->bench.run(requestOf(info[1].As<Napi::Object>()));
    return resultToJs(env, result);
  });
}

}  // namespace trtnode
