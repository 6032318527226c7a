#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "engine/blob.h"
#include "engine/build_request.h"
#include "engine/logger.h"
#include "engine/progress_monitor.h"

namespace trtnode {

struct BuildResult {
  Blob plan;
  std::string version;                           // of the library, e.g. "1.7.1.116"
  std::string precision;                         // e.g. "fp32", "fp16", "fp16+fp32"
  std::vector<std::string> computeCapabilities;  // of the GPUs that the plan is for
  std::vector<std::string> warnings;
};

// Builds an engine from an ONNX model. Blocks for as long as that takes; `cancelled` ends it at TensorRT's
// next step. Throws Error.
BuildResult build(BuildRequest const& request, std::atomic<bool> const& cancelled, LogSink log,
                  ProgressSink progress);

}  // namespace trtnode
