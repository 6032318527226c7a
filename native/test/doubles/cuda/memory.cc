// Stand-in for tests: device memory of the libcuda double.
#include "memory.h"

#include <sys/mman.h>

#include <cstring>

#include "../common/ledger.h"

namespace trt_double {
namespace {

constexpr size_t kReservedBytes = size_t{64} << 30;  // addresses only; never given out twice
constexpr size_t kAlignment = 512;                   // at least what cuMemAlloc documents
constexpr unsigned char kFresh = 0xCD, kFreed = 0xDD;

std::string describe(Block const& block) {
  return std::string(block.kind == Block::Kind::kDevice ? "device" : "page-locked") + " allocation of " +
         std::to_string(block.bytes) + " bytes";
}

}  // namespace

Span::Span(std::shared_ptr<Block> block, uint64_t at, size_t) : block_(std::move(block)), at_(at) {
  ++block_->pending;
}

Span::~Span() {
  if (block_) --block_->pending;
}

Memory& Memory::get() {
  static Memory* const memory = new Memory();
  return *memory;
}

Memory::Memory() {
  void* reserved =
      mmap(nullptr, kReservedBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  base_ = reserved == MAP_FAILED ? uint64_t{1} << 46 : reinterpret_cast<uint64_t>(reserved);
  next_ = base_;
}

void Memory::account(Block const& block, int sign) {
  bool const device = block.kind == Block::Kind::kDevice;
  addLive(device ? "deviceAllocations" : "pinnedAllocations", sign);
  addLive(device ? "deviceBytes" : "pinnedBytes", sign * static_cast<long>(block.bytes));
  if (device) used_[block.context->device] += sign * block.bytes;
  block.context->children += sign;
}

std::shared_ptr<Block> Memory::allocateDevice(std::shared_ptr<Context> const& context, size_t bytes) {
  static size_t const total = static_cast<size_t>(settingNumber("TRT_DOUBLE_MEMORY", 8L << 30));
  std::lock_guard lock(mutex_);
  size_t const reserved = (bytes + kAlignment) / kAlignment * kAlignment;  // with a gap behind
  if (used_[context->device] + bytes > total || next_ + reserved > base_ + kReservedBytes) return nullptr;
  auto block = std::make_shared<Block>();
  block->kind = Block::Kind::kDevice;
  block->address = next_;
  block->bytes = bytes;
  block->context = context;
  block->backing.reset(new unsigned char[bytes]);
  std::memset(block->backing.get(), kFresh, bytes);
  next_ += reserved;
  device_[block->address] = block;
  account(*block, 1);
  return block;
}

std::shared_ptr<Block> Memory::allocatePinned(std::shared_ptr<Context> const& context, size_t bytes) {
  auto block = std::make_shared<Block>();
  block->kind = Block::Kind::kPinned;
  block->bytes = bytes;
  block->context = context;
  block->backing.reset(new unsigned char[bytes]);
  std::memset(block->backing.get(), kFresh, bytes);
  block->address = reinterpret_cast<uint64_t>(block->backing.get());
  std::lock_guard lock(mutex_);
  pinned_[block->address] = block;
  account(*block, 1);
  return block;
}

CUresult Memory::free(Block::Kind kind, uint64_t address, Context const& current, char const* function) {
  std::lock_guard lock(mutex_);
  auto& blocks = kind == Block::Kind::kDevice ? device_ : pinned_;
  auto found = blocks.find(address);
  if (found == blocks.end() || found->second->freed) {
    misuse(std::string(function) + (found == blocks.end() ? ": not an allocation" : ": freed twice"));
    return CUDA_ERROR_INVALID_VALUE;
  }
  std::shared_ptr<Block> const block = found->second;
  if (block->context.get() != &current)
    misuse(std::string(function) + ": freed in another context than allocated in");
  if (block->pending > 0) misuse(std::string(function) + ": queued work still uses the " + describe(*block));
  block->freed = true;
  account(*block, -1);
  if (block->pending == 0) {
    std::memset(block->backing.get(), kFreed, block->bytes);
    block->backing.reset();
  }
  // Host addresses come again, device addresses do not.
  if (kind == Block::Kind::kPinned) blocks.erase(found);
  return CUDA_SUCCESS;
}

std::shared_ptr<Block> Memory::find(std::map<uint64_t, std::shared_ptr<Block>> const& blocks,
                                    uint64_t at) const {
  auto after = blocks.upper_bound(at);
  if (after == blocks.begin()) return nullptr;
  std::shared_ptr<Block> const& block = std::prev(after)->second;
  return at < block->address + std::max<size_t>(block->bytes, 1) ? block : nullptr;
}

Span Memory::deviceSpan(uint64_t at, size_t bytes, char const* function) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Block> const block = find(device_, at);
  if (!block) {
    misuse(std::string(function) + ": no device memory at this address");
    return {};
  }
  if (block->freed) {
    misuse(std::string(function) + ": use after free of a " + describe(*block));
    return {};
  }
  if (at + bytes > block->address + block->bytes) {
    misuse(std::string(function) + ": " + std::to_string(bytes) + " bytes at offset " +
           std::to_string(at - block->address) + " run past a " + describe(*block));
    return {};
  }
  return Span(block, at, bytes);
}

Span Memory::pinnedSpan(void const* host, size_t bytes, char const* function) {
  uint64_t const at = reinterpret_cast<uint64_t>(host);
  std::lock_guard lock(mutex_);
  std::shared_ptr<Block> const block = find(pinned_, at);
  if (!block) {
    addStatistic("pageableCopies", 1);
    return {};
  }
  if (at + bytes > block->address + block->bytes) {
    misuse(std::string(function) + ": " + std::to_string(bytes) + " bytes run past a " + describe(*block));
  }
  return Span(block, at, bytes);
}

size_t Memory::usedBytes(int device) {
  std::lock_guard lock(mutex_);
  return used_[device];
}

void Memory::dropContext(Context const& context) {
  std::lock_guard lock(mutex_);
  for (auto* blocks : {&device_, &pinned_}) {
    for (auto& [address, block] : *blocks) {
      if (block->context.get() != &context || block->freed) continue;
      misuse("cuDevicePrimaryCtxRelease: a " + describe(*block) + " was not freed");
      block->freed = true;
      account(*block, -1);
    }
  }
}

}  // namespace trt_double
