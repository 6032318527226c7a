// The scheduler of the CUDA-on-CPU layer: fibers, warps, blocks. See cuda_emulator.h.
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cuda_emulator.h"
#include "launch.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace emulator {

void (*afterBlock)() = nullptr;

namespace {

constexpr size_t kStackBytes = 256 << 10;
constexpr int kWarpSize = 32;

/** Lanes of one warp that meet under one mask. Two slots, so that the fast may enter the next meeting early.
 */
struct Meeting {
  unsigned mask = 0;
  unsigned arrived = 0;
  unsigned epoch = 0;
  Site site{};
  alignas(kMaxShuffleBytes) unsigned char slots[2][kWarpSize][kMaxShuffleBytes];
};

struct Warp {
  unsigned alive = 0;
  unsigned epoch = 0;
  std::vector<Meeting> meetings;
};

struct Fiber {
  ucontext_t context;
  jmp_buf jump;
  void* stack = nullptr;
  int index = 0;
  uint3 thread{};
  bool done = false;
  bool started = false;
  // What it waits for: `*epoch` leaving `epochSeen`.
  unsigned const* epoch = nullptr;
  unsigned epochSeen = 0;
  Site site{};
  void* sanitizerStack = nullptr;
};

struct Barrier {
  unsigned epoch = 0;
  int arrived = 0;
  int alive = 0;
  Site site{};
};

std::vector<Fiber> fibers;
std::vector<Warp> warps;
Barrier barrier;
Fiber* current = nullptr;
std::function<void()> const* kernelBody = nullptr;
unsigned firstBlock = 0;
unsigned blockCount = 0;
uint64_t launches = 0;

#if defined(__SANITIZE_ADDRESS__)
ucontext_t scheduler;
void const* schedulerStack = nullptr;
size_t schedulerStackBytes = 0;
void* schedulerSanitizerStack = nullptr;
void leaveFiber(bool forGood) {
  __sanitizer_start_switch_fiber(forGood ? nullptr : &current->sanitizerStack, schedulerStack,
                                 schedulerStackBytes);
  swapcontext(&current->context, &scheduler);
  __sanitizer_finish_switch_fiber(current->sanitizerStack, &schedulerStack, &schedulerStackBytes);
}
void resume(Fiber& fiber) {
  __sanitizer_start_switch_fiber(&schedulerSanitizerStack, fiber.stack, kStackBytes);
  swapcontext(&scheduler, &fiber.context);
  __sanitizer_finish_switch_fiber(schedulerSanitizerStack, nullptr, nullptr);
}
void arriveInFiber() {
  __sanitizer_finish_switch_fiber(nullptr, &schedulerStack, &schedulerStackBytes);
}
#else
// swapcontext saves the signal mask, two system calls a switch; _longjmp does not, and takes a quarter of the
// time.
jmp_buf schedulerJump;
void leaveFiber(bool) {
  if (_setjmp(current->jump) == 0) _longjmp(schedulerJump, 1);
}
void resume(Fiber& fiber) {
  if (_setjmp(schedulerJump) != 0) return;
  if (fiber.started) _longjmp(fiber.jump, 1);
  fiber.started = true;
  setcontext(&fiber.context);
}
void arriveInFiber() {}
#endif

void waitFor(unsigned const& epoch, Site site) {
  current->epoch = &epoch;
  current->epochSeen = epoch;
  current->site = site;
  leaveFiber(false);
}

void completeBarrierIfAllArrived() {
  if (barrier.arrived == 0 || barrier.arrived < barrier.alive) return;
  barrier.arrived = 0;
  ++barrier.epoch;
}

Warp& warpOf(Fiber const& fiber) {
  return warps[fiber.index / kWarpSize];
}

void fiberMain() {
  arriveInFiber();
  (*kernelBody)();
  current->done = true;
  for (Meeting const& meeting : warpOf(*current).meetings) {
    if (meeting.arrived != 0 && (meeting.mask >> current->index % kWarpSize & 1) != 0) {
      fail("shuffle: the mask names a lane that has exited");
    }
  }
  warpOf(*current).alive &= ~(1u << current->index % kWarpSize);
  --barrier.alive;
  completeBarrierIfAllArrived();
  leaveFiber(true);
}

void makeFibers(size_t count) {
  while (fibers.size() < count) {
    Fiber fiber;
    fiber.stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fiber.stack == MAP_FAILED) fail("no memory for the stack of a CUDA thread");
    fibers.push_back(fiber);
  }
}

void startBlock(dim3 block, int threads) {
  warps.assign((threads + kWarpSize - 1) / kWarpSize, {});
  barrier = {0, 0, threads, {}};
  for (int i = 0; i < threads; ++i) {
    Fiber& fiber = fibers[i];
    fiber.index = i;
    fiber.thread = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
    fiber.done = false;
    fiber.started = false;
    fiber.epoch = nullptr;
    fiber.sanitizerStack = nullptr;
    warpOf(fiber).alive |= 1u << i % kWarpSize;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, fiberMain, 0);
  }
}

void runBlock(dim3 block) {
  int const threads = block.x * block.y * block.z;
  startBlock(block, threads);
  for (int live = threads; live > 0;) {
    bool progressed = false;
    for (int i = 0; i < threads; ++i) {
      Fiber& fiber = fibers[i];
      if (fiber.done || (fiber.epoch != nullptr && *fiber.epoch == fiber.epochSeen)) continue;
      fiber.epoch = nullptr;
      current = &fiber;
      threadIdx = fiber.thread;
      resume(fiber);
      progressed = true;
      if (fiber.done) --live;
    }
    if (!progressed) {
      auto const waiting = std::find_if(fibers.begin(), fibers.begin() + threads,
                                        [](Fiber const& fiber) { return !fiber.done; });
      current = &*waiting;
      threadIdx = current->thread;
      fail("waits for threads that never come (divergent barrier or shuffle)");
    }
  }
  if (afterBlock != nullptr) afterBlock();
}

Meeting& meetingUnder(Warp& warp, unsigned mask) {
  for (Meeting const& meeting : warp.meetings) {
    if (meeting.mask != mask && meeting.arrived != 0 && (meeting.mask & mask) != 0) {
      fail("lanes of one shuffle gave different masks");
    }
  }
  for (Meeting& meeting : warp.meetings) {
    if (meeting.mask == mask) return meeting;
  }
  // A warp's lanes hold pointers into the vector while they wait: it never grows past what is reserved.
  if (warp.meetings.empty()) warp.meetings.reserve(kWarpSize);
  if (warp.meetings.size() == kWarpSize) fail("more than 32 different shuffle masks in one warp");
  Meeting meeting;
  meeting.mask = mask;
  warp.meetings.push_back(meeting);
  return warp.meetings.back();
}

}  // namespace

void launch(dim3 grid, dim3 block, std::function<void()> const& body) {
  if (current != nullptr) fail("a kernel cannot launch a kernel here");
  if (block.x * block.y * block.z == 0 || block.x * block.y * block.z > 1024)
    fail("1 to 1024 threads a block");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) fail("an empty grid");
  gridDim = grid;
  blockDim = block;
  kernelBody = &body;
  makeFibers(block.x * block.y * block.z);
  unsigned const begin = blockCount == 0 ? 0 : firstBlock;
  unsigned const end = blockCount == 0 ? grid.x : std::min(grid.x, firstBlock + blockCount);
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = begin; x < end; ++x) {
        blockIdx = {x, y, z};
        runBlock(block);
      }
    }
  }
  current = nullptr;
}

uint64_t launchCount() {
  return launches;
}

void noteLaunch() {
  ++launches;
}

void limitBlocks(unsigned first, unsigned count) {
  firstBlock = first;
  blockCount = count;
}

void fail(char const* what) {
  std::fprintf(stderr, "emulator: %s", what);
  if (current != nullptr) {
    std::fprintf(stderr, " (block %u,%u,%u thread %u,%u,%u", blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x,
                 threadIdx.y, threadIdx.z);
    if (current->site.file != nullptr) {
      std::fprintf(stderr, ", last met others at %s:%d", current->site.file, current->site.line);
    }
    std::fprintf(stderr, ")");
  }
  std::fprintf(stderr, "\n");
  std::abort();
}

int currentThread() {
  return current == nullptr ? -1 : current->index;
}

unsigned barrierEpoch() {
  return barrier.epoch;
}

unsigned warpEpoch() {
  return warpOf(*current).epoch;
}

void synchronizeBlock(Site site) {
  current->site = site;
  if (barrier.arrived == 0) {
    barrier.site = site;
  } else if (barrier.site != site) {
    fail("divergent barrier: threads of one block wait at different __syncthreads()");
  }
  unsigned const& epoch = barrier.epoch;
  ++barrier.arrived;
  if (barrier.arrived < barrier.alive) {
    waitFor(epoch, site);
  } else {
    completeBarrierIfAllArrived();
  }
}

void exchange(unsigned mask, void* value, int size, int sourceLane, Site site) {
  Warp& warp = warpOf(*current);
  int const lane = current->index % kWarpSize;
  current->site = site;
  if ((mask >> lane & 1) == 0) fail("shuffle: the calling lane is not in the mask");
  if ((mask & warp.alive) != mask) fail("shuffle: the mask names a lane that has exited or never was");
  if (sourceLane < 0 || sourceLane >= kWarpSize || (mask >> sourceLane & 1) == 0) {
    fail("shuffle: the source lane is not in the mask");
  }
  Meeting& meeting = meetingUnder(warp, mask);
  if (meeting.arrived == 0) {
    meeting.site = site;
  } else if (meeting.site != site) {
    fail("shuffle: lanes of one mask meet at different source lines");
  }
  auto& slots = meeting.slots[meeting.epoch & 1];
  std::memcpy(slots[lane], value, size);
  meeting.arrived |= 1u << lane;
  if (meeting.arrived == mask) {
    meeting.arrived = 0;
    ++meeting.epoch;
    ++warp.epoch;
  } else {
    waitFor(meeting.epoch, site);
  }
  std::memcpy(value, slots[sourceLane], size);
}

}  // namespace emulator
