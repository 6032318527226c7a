#include <napi.h>

#include <memory>

#include "binding/addon_data.h"
#include "binding/build_binding.h"
#include "binding/device_tensor_binding.h"
#include "binding/engine_binding.h"
#include "binding/error_to_js.h"
#include "binding/native_thread.h"
#include "binding/plugin_binding.h"
#include "binding/values.h"
#include "cuda/device_info.h"
#include "engine/tensorrt_family.h"

namespace trtnode {
namespace {

Napi::Object devicesToJs(Napi::Env env, CudaInfo const& cuda) {
  auto object = Napi::Object::New(env);
  object.Set("driverVersion", cuda.driverVersion);
  auto devices = Napi::Array::New(env, cuda.devices.size());
  for (uint32_t index = 0; index < cuda.devices.size(); ++index) {
    DeviceInfo const& device = cuda.devices[index];
    auto entry = Napi::Object::New(env);
    entry.Set("name", device.name);
    entry.Set("computeCapability", device.computeCapability);
    entry.Set("memoryBytes", static_cast<double>(device.memoryBytes));
    devices.Set(index, entry);
  }
  object.Set("devices", devices);
  if (!cuda.reason.empty()) object.Set("reason", cuda.reason);
  return object;
}

// cudaInfo(): Promise<NativeCudaInfo>. On a thread of its own: cuInit takes hundreds of milliseconds on some
// machines.
Napi::Value cudaInfoToJs(Napi::CallbackInfo const& info) {
  Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    AddonData& data = AddonData::of(env);
    auto deferred = Napi::Promise::Deferred::New(env);
    uint32_t const call = data.begin(env, {deferred, {}});
    startNativeThread([dispatcher = data.dispatcher(), call] {
      CudaInfo cuda;
      try {
        cuda = cudaInfo();
      } catch (std::exception const& error) {
        cuda.reason = error.what();
      }
      dispatcher->post([call, cuda = std::move(cuda)](Napi::Env env) {
        AddonData::of(env).resolve(env, call, [&] { return devicesToJs(env, cuda); });
      });
    });
    return deferred.Promise();
  });
}

// process.exit() of the main thread destroys no environment, so AddonData does not hear of it; process 'exit'
// does.
void listenForExit(Napi::Env env) {
  auto const process = env.Global().Get("process").As<Napi::Object>();
  auto const listener = Napi::Function::New(env, [](Napi::CallbackInfo const&) { leaveBeforeTensorrt(); });
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), listener});
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new AddonData(env));
  listenForExit(env);
  exports.Set("family", family::kName);
  exports.Set("build", Napi::Function::New(env, build, "build"));
  exports.Set("cancelBuild", Napi::Function::New(env, cancelBuild, "cancelBuild"));
  exports.Set("load", Napi::Function::New(env, load, "load"));
  exports.Set("run", Napi::Function::New(env, run, "run"));
  exports.Set("createBinding", Napi::Function::New(env, createBinding, "createBinding"));
  exports.Set("memory", Napi::Function::New(env, memory, "memory"));
  exports.Set("graphs", Napi::Function::New(env, graphs, "graphs"));
  exports.Set("profile", Napi::Function::New(env, profile, "profile"));
  exports.Set("layers", Napi::Function::New(env, layers, "layers"));
  exports.Set("refit", Napi::Function::New(env, refit, "refit"));
  exports.Set("close", Napi::Function::New(env, close, "close"));
  exports.Set("readDeviceTensor", Napi::Function::New(env, readDeviceTensor, "readDeviceTensor"));
  exports.Set("releaseDeviceTensor", Napi::Function::New(env, releaseDeviceTensor, "releaseDeviceTensor"));
  exports.Set("openPlugins", Napi::Function::New(env, openPlugins, "openPlugins"));
  exports.Set("pluginInterface", Napi::Function::New(env, pluginInterface, "pluginInterface"));
  exports.Set("runPlugin", Napi::Function::New(env, runPlugin, "runPlugin"));
  exports.Set("cudaInfo", Napi::Function::New(env, cudaInfoToJs, "cudaInfo"));
  return exports;
}

}  // namespace
}  // namespace trtnode

static Napi::Object initAddon(Napi::Env env, Napi::Object exports) {
  return trtnode::init(env, exports);
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, initAddon)
