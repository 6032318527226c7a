#pragma once

#include <napi.h>

namespace trtnode {

// build(request: NativeBuildRequest, onEvent: (event) => void): { handle: BuildHandle, done:
// Promise<NativePlan> }
Napi::Value build(Napi::CallbackInfo const& info);

// cancelBuild(handle: BuildHandle): void
void cancelBuild(Napi::CallbackInfo const& info);

}  // namespace trtnode
