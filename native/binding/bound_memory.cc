#include "binding/bound_memory.h"

#include <utility>

#include "engine/dims.h"
#include "loader/error.h"

namespace trtnode {

BoundMemory::BoundMemory(std::shared_ptr<EnginePool> const& pool, std::shared_ptr<GpuMemory> gpu,
                         size_t inputCount, size_t outputCount)
    : pool_(pool),
      gpu_(std::move(gpu)),
      host_(std::make_unique<HostTensors>(*gpu_, inputCount, outputCount)),
      call_(inputCount, outputCount) {
  call_.host = host_.get();
}

BoundMemory::~BoundMemory() {
  try {
    PrimaryContext::Scope const scope(gpu_->context());
    host_.reset();
  } catch (...) {
    // The GPU is lost; what is pinned stays so until the process ends.
    host_.release();
  }
}

void BoundMemory::reserve(EngineInfo const& info) {
  for (size_t index = 0; index < info.inputs.size(); ++index) {
    host_->inputs[index].reserve(bytesOf(call_.inputShapes[index], info.inputs[index].elementBytes));
  }
  for (size_t index = 0; index < info.outputs.size(); ++index) {
    if (!isKnown(call_.outputShapes[index])) {
      throw Error(ErrorCode::kUnsupported,
                  "output \"" + info.outputs[index].name +
                      "\" has a shape that depends on the data, for which no memory can be bound beforehand",
                  "use engine.infer");
    }
    host_->outputs[index].reserve(bytesOf(call_.outputShapes[index], info.outputs[index].elementBytes));
  }
}

}  // namespace trtnode
