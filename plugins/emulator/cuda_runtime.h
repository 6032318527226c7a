// What the stand-in for the CUDA runtime was asked for: `enqueue` may launch one kernel and do nothing else.
#pragma once

#include <cstdint>

namespace emulator {

/** Calls since the program began; launches are counted by launchCount(). */
struct RuntimeCalls {
  uint64_t allocations = 0;
  uint64_t frees = 0;
  uint64_t copies = 0;
  uint64_t synchronizations = 0;
};
RuntimeCalls runtimeCalls();

/** The stream that the last kernel was launched into. */
void* lastStream();

}  // namespace emulator
