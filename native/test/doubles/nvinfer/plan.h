// The doubles' plan: begins as TensorRT's own plans do, then says in JSON what the engine is and how it was
// built. | bytes | content | | 0-3 | `ftrt` (TensorRT) or `vtrt` (TensorRT-RTX) | | 16-23 | length of the
// whole plan, little-endian | | 24-27 | major, minor, patch, build of the version | | 64- | JSON: {"standIn",
// "engine": see engine_spec.h, "builder": what the builder was told} |
#pragma once

#include <string>

#include "../common/json.h"

namespace trt_double {

std::string writePlan(Json const& content);
/** @throws std::runtime_error, in TensorRT's words, where it is no plan, or one of another version */
Json readPlan(void const* blob, size_t size);

}  // namespace trt_double
