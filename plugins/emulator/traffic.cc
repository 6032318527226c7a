// Counts and checks every access that kernels make: answers the calls that -fsanitize=thread puts before each
// of them. This file and emulator.cc are compiled without that option, so that only kernels (and their test)
// are seen.
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "cuda_emulator.h"
#include "memory.h"

// Of the linker: initialised and zeroed variables lie between them, `__shared__` ones (static here) included.
extern "C" char __data_start;
extern "C" char _end;

namespace emulator {
namespace {

constexpr size_t kArenaBytes = size_t{1} << 36;
constexpr size_t kGapBytes = 4096;
constexpr size_t kAlignment = 256;
constexpr unsigned kSectorBytes = 32;

struct Buffer {
  uintptr_t begin;
  uintptr_t end;
  std::string name;
};

struct Request {
  int buffer = 0;
  bool write = false;
  unsigned width = 0;
  uint64_t bytes = 0;
  std::vector<uintptr_t> sectors;
};

struct Touch {
  int thread = -1;
  unsigned barrier = 0;
  unsigned warpMeeting = 0;
};

struct SharedWord {
  Touch write;
  Touch read;
  // Whether threads of more than one warp have read it since the last barrier.
  bool readByMany = false;
};

uintptr_t arena = 0;
uintptr_t arenaEnd = 0;
std::vector<Buffer> buffers;
// (program counter, warp, how manieth time) is one instruction of one warp.
std::map<std::tuple<void*, int, unsigned>, Request> requests;
std::vector<std::unordered_map<void*, unsigned>> visits;
std::map<std::string, Traffic> totals;
std::map<std::string, std::set<uintptr_t>> sectorsSeen;
std::unordered_map<uintptr_t, SharedWord> sharedWords;

void describe(char const* what, uintptr_t address, unsigned size, bool write) {
  static char text[256];
  auto const near = std::find_if(buffers.rbegin(), buffers.rend(),
                                 [&](Buffer const& buffer) { return address + size > buffer.begin; });
  char const* const name = near == buffers.rend() ? "no buffer" : near->name.c_str();
  long long const offset = near == buffers.rend() ? 0 : static_cast<long long>(address - near->begin);
  std::snprintf(text, sizeof text, "%s: %s of %u bytes at offset %lld of '%s'", what,
                write ? "write" : "read", size, offset, name);
  fail(text);
}

bool ordered(Touch const& before, int thread) {
  if (before.thread < 0 || before.thread == thread || before.barrier != barrierEpoch()) return true;
  return before.thread / 32 == thread / 32 && before.warpMeeting != warpEpoch();
}

void checkShared(uintptr_t address, unsigned size, bool write) {
  int const thread = currentThread();
  for (uintptr_t word = address / 4; word <= (address + size - 1) / 4; ++word) {
    SharedWord& state = sharedWords[word];
    Touch const now{thread, barrierEpoch(), warpEpoch()};
    if (!ordered(state.write, thread)) fail("race in shared memory: two threads, no barrier between them");
    if (write) {
      bool const manyReaders = state.readByMany && state.read.barrier == barrierEpoch();
      if (!ordered(state.read, thread) || manyReaders) {
        fail("race in shared memory: written while others may still read, no barrier between them");
      }
      state.write = now;
    } else {
      bool const sameEpoch = state.read.thread >= 0 && state.read.barrier == now.barrier;
      state.readByMany = sameEpoch && (state.readByMany || state.read.thread / 32 != thread / 32);
      state.read = now;
    }
  }
}

void access(void* pointer, unsigned size, bool write, void* programCounter) {
  int const thread = currentThread();
  if (thread < 0) return;
  auto const address = reinterpret_cast<uintptr_t>(pointer);
  if (address >= reinterpret_cast<uintptr_t>(&__data_start) && address < reinterpret_cast<uintptr_t>(&_end)) {
    checkShared(address, size, write);
    return;
  }
  if (address < arena || address >= arenaEnd) return;  // a local variable
  if (size <= 16 && address % size != 0) describe("misaligned", address, size, write);
  // Buffers lie in the order of their addresses.
  auto const after =
      std::upper_bound(buffers.begin(), buffers.end(), address,
                       [](uintptr_t value, Buffer const& buffer) { return value < buffer.begin; });
  if (after == buffers.begin() || address + size > (after - 1)->end)
    describe("out of bounds", address, size, write);
  if (visits.size() < 1024) visits.resize(1024);
  Request& request = requests[{programCounter, thread / 32, visits[thread][programCounter]++}];
  request.buffer = static_cast<int>(after - 1 - buffers.begin());
  request.write = write;
  request.width = size;
  request.bytes += size;
  for (uintptr_t sector = address / kSectorBytes; sector <= (address + size - 1) / kSectorBytes; ++sector) {
    if (std::find(request.sectors.begin(), request.sectors.end(), sector) == request.sectors.end()) {
      request.sectors.push_back(sector);
    }
  }
}

void addUpBlock() {
  for (auto& [key, request] : requests) {
    std::string const name = buffers[request.buffer].name + (request.write ? " write" : " read");
    Traffic& total = totals[name];
    ++total.requests;
    total.bytes += request.bytes;
    total.sectors += request.sectors.size();
    ++total.widths[request.width];
    sectorsSeen[name].insert(request.sectors.begin(), request.sectors.end());
  }
  requests.clear();
  for (auto& counts : visits) counts.clear();
  sharedWords.clear();
}

}  // namespace

void* allocate(size_t bytes, char const* name, size_t misalignment) {
  if (arena == 0) {
    void* const mapped = mmap(nullptr, kArenaBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) fail("no address space for device memory");
    arena = reinterpret_cast<uintptr_t>(mapped);
    arenaEnd = arena + kArenaBytes;
    afterBlock = addUpBlock;
  }
  uintptr_t const last = buffers.empty() ? arena : buffers.back().end;
  uintptr_t const begin = (last + kGapBytes + kAlignment - 1) / kAlignment * kAlignment + misalignment;
  if (begin + bytes + kGapBytes > arenaEnd) fail("device memory of the emulator is used up");
  buffers.push_back({begin, begin + bytes, name});
  return reinterpret_cast<void*>(begin);
}

void releaseAll() {
  if (arena != 0)
    madvise(reinterpret_cast<void*>(arena), buffers.empty() ? 0 : buffers.back().end - arena, MADV_DONTNEED);
  buffers.clear();
}

std::map<std::string, Traffic> takeTraffic() {
  for (auto& [name, total] : totals) total.uniqueSectors = sectorsSeen[name].size();
  sectorsSeen.clear();
  return std::move(totals);
}

}  // namespace emulator

#define ANSWER(bytes)                                               \
  void __tsan_read##bytes(void* p) {                                \
    emulator::access(p, bytes, false, __builtin_return_address(0)); \
  }                                                                 \
  void __tsan_write##bytes(void* p) {                               \
    emulator::access(p, bytes, true, __builtin_return_address(0));  \
  }                                                                 \
  void __tsan_unaligned_read##bytes(void* p) {                      \
    emulator::access(p, bytes, false, __builtin_return_address(0)); \
  }                                                                 \
  void __tsan_unaligned_write##bytes(void* p) {                     \
    emulator::access(p, bytes, true, __builtin_return_address(0));  \
  }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
ANSWER(1)
ANSWER(2)
ANSWER(4)
ANSWER(8)
ANSWER(16)
void __tsan_read_range(void* p, unsigned long bytes) {
  emulator::access(p, static_cast<unsigned>(bytes), false, __builtin_return_address(0));
}
void __tsan_write_range(void* p, unsigned long bytes) {
  emulator::access(p, static_cast<unsigned>(bytes), true, __builtin_return_address(0));
}
}
