#pragma once

#include <memory>

#include "binding/dispatcher.h"
#include "engine/logger.h"

namespace trtnode {

// A sink that hands TensorRT's log to the onEvent of `work` (see AddonData::remember).
LogSink logTo(std::shared_ptr<Dispatcher> dispatcher, uint32_t work);

}  // namespace trtnode
