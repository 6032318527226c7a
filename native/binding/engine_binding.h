#pragma once

#include <napi.h>

namespace trtnode {

// load(request: NativeLoadRequest, onEvent: (event) => void): Promise<NativeEngine>
Napi::Value load(Napi::CallbackInfo const& info);

// run(handle: EngineHandle, request: NativeRunRequest): Promise<NativeTensor[]>
Napi::Value run(Napi::CallbackInfo const& info);

// close(handle: EngineHandle): Promise<void>; resolves when the engine's memory is free
Napi::Value close(Napi::CallbackInfo const& info);

}  // namespace trtnode
