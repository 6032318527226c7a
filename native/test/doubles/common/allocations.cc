// Stand-in for tests, to be preloaded: counts how often the addon, and not Node or a double, asks the heap
// for memory.
#include <dlfcn.h>
#include <execinfo.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#define EXPORT __attribute__((visibility("default")))

namespace {

// From the first time that somebody asks: to look at every caller makes Node itself many times slower.
std::atomic<bool> counting{false};
std::atomic<long> count{0};

/** Whether the innermost frame beyond this library and libstdc++ is the addon's. */
bool calledByAddon() {
  thread_local bool looking = false;  // backtrace and dladdr may allocate
  if (looking) return false;
  looking = true;
  void* frames[12];
  int const depth = backtrace(frames, 12);
  bool found = false;
  for (int i = 0; i < depth; ++i) {
    Dl_info info{};
    if (dladdr(frames[i], &info) == 0 || info.dli_fname == nullptr) break;
    if (std::strstr(info.dli_fname, "libtrt_allocations") || std::strstr(info.dli_fname, "libstdc++"))
      continue;
    found = std::strstr(info.dli_fname, "tensorrt_node_") != nullptr;
    break;
  }
  looking = false;
  return found;
}

void* allocate(std::size_t bytes) {
  if (counting.load(std::memory_order_relaxed) && calledByAddon()) ++count;
  void* memory = std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

EXPORT void* operator new(std::size_t bytes) {
  return allocate(bytes);
}
EXPORT void* operator new[](std::size_t bytes) {
  return allocate(bytes);
}
EXPORT void operator delete(void* memory) noexcept {
  std::free(memory);
}
EXPORT void operator delete[](void* memory) noexcept {
  std::free(memory);
}
EXPORT void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
EXPORT void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

/** The count since the last call. */
extern "C" EXPORT long trtTakeAllocations() {
  counting = true;
  return count.exchange(0);
}
