// What the libcuda double exports besides the driver API: the way in for the libnvinfer double, which has no
// GPU to run its engines on. Looked up with dlsym, as neither library is linked to the other.
#pragma once

#include <cstddef>

#include "driver_types.h"

extern "C" {

/** A range of device memory that queued work uses. */
struct TrtDoubleRange {
  CUdeviceptr address;
  size_t bytes;
};

/** Work on a stream: gets where each range lies on the host; a code other than 0 is an asynchronous CUDA
 * error. */
using TrtDoubleWork = int (*)(void* argument, unsigned char* const* ranges);

/** Queues work; `argument` goes to `release` when it is done or dropped. `what` names the caller in messages.
 */
CUresult trtDoubleEnqueue(char const* what, CUstream stream, TrtDoubleRange const* ranges, size_t rangeCount,
                          TrtDoubleWork work, void* argument, void (*release)(void*));

/** Waits for a stream, as TensorRT does for shapes that depend on data. */
CUresult trtDoubleSynchronize(char const* what, CUstream stream);

/** Whether what a stream is given is captured and not done. */
bool trtDoubleCapturing(CUstream stream);

/** Whether the calling thread has a live context; records a misuse where it has none. */
bool trtDoubleRequireContext(char const* what);

/** Memory that TensorRT itself takes: not counted as a call of cuMemAlloc. 0 where there is no room. */
CUdeviceptr trtDoubleAllocate(char const* what, size_t bytes);
void trtDoubleRelease(char const* what, CUdeviceptr address);

}  // extern "C"
