#pragma once

#include <napi.h>

namespace trtnode {

// load(request: NativeLoadRequest, onEvent: (event) => void): Promise<NativeEngine>
Napi::Value load(Napi::CallbackInfo const& info);

// run(handle: EngineHandle, slot, profile, feeds: [data, …], toDevice): Promise<[data, …]>, where data are
// ArrayBuffers or, on the device, DeviceTensorHandles, and shapes are in the slot's exchange
Napi::Value run(Napi::CallbackInfo const& info);

// createBinding(handle: EngineHandle, slot, profile): Promise<NativeBinding>, likewise
Napi::Value createBinding(Napi::CallbackInfo const& info);

// memory(handle: EngineHandle): [pinned bytes, device bytes]
Napi::Value memory(Napi::CallbackInfo const& info);

// graphs(handle: EngineHandle): [captured, launched, dropped, why there was none]
Napi::Value graphs(Napi::CallbackInfo const& info);

// profile(handle: EngineHandle): [[name, runs, total, shortest, longest], …] in milliseconds
Napi::Value profile(Napi::CallbackInfo const& info);

// layers(handle: EngineHandle, slot): Promise<string>; TensorRT's JSON
Napi::Value layers(Napi::CallbackInfo const& info);

// refit(handle: EngineHandle, slot, weights: [name, type, data, …]): Promise<void>; while no slot runs
Napi::Value refit(Napi::CallbackInfo const& info);

// close(handle: EngineHandle): Promise<void>; resolves when the engine's memory is free
Napi::Value close(Napi::CallbackInfo const& info);

}  // namespace trtnode
