// Device buffers as heap blocks: what AddressSanitizer watches. See memory.h; traffic.cc is the counting
// kind.
#include "memory.h"

#include <cstdlib>
#include <new>
#include <vector>

namespace emulator {
namespace {
std::vector<void*> blocks;
constexpr size_t kAlignment = 256;
}  // namespace

void* allocate(size_t bytes, char const*, size_t misalignment) {
  // The end of the block is the end of the buffer, to the byte; only the front is rounded up.
  void* block = nullptr;
  if (posix_memalign(&block, kAlignment, bytes + misalignment) != 0) throw std::bad_alloc();
  blocks.push_back(block);
  return static_cast<char*>(block) + misalignment;
}

void releaseAll() {
  for (void* block : blocks) std::free(block);
  blocks.clear();
}

std::map<std::string, Traffic> takeTraffic() {
  return {};
}

}  // namespace emulator
