#pragma once

#include <napi.h>

namespace trtnode {

// openPlugins({ path, preload }): { handle, creators, emulated }. What it opens runs in this process: for a
// child process only, as are the others.
Napi::Value openPlugins(Napi::CallbackInfo const& info);

// pluginInterface(handle, creator: number): string.
Napi::Value pluginInterface(Napi::CallbackInfo const& info);

// runPlugin(handle, request): result. Blocks.
Napi::Value runPlugin(Napi::CallbackInfo const& info);

}  // namespace trtnode
