#pragma once

#include <napi.h>

#include <memory>

#include "engine/device_memory.h"

namespace trtnode {

// What JavaScript's handle of a tensor on the device holds; its share goes when it is released, or with the
// handle.
struct DeviceTensor {
  static constexpr napi_type_tag kTag = {0x7472746e6f646544, 0x1c5e9a70b2483fd6};

  std::shared_ptr<DeviceMemory> memory;
};

// readDeviceTensor(tensor: DeviceTensorHandle): Promise<ArrayBuffer>
Napi::Value readDeviceTensor(Napi::CallbackInfo const& info);

// releaseDeviceTensor(tensor: DeviceTensorHandle): void
Napi::Value releaseDeviceTensor(Napi::CallbackInfo const& info);

}  // namespace trtnode
