// Device and page-locked memory, tracked: a copy past an allocation or a use after free is found and named.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "context.h"

namespace trt_double {

/**
 * One allocation. Device memory is backed by host memory at another address than the one the caller gets,
 * whose pages cannot be touched: host code that follows a device pointer crashes, as it would with a GPU.
 */
struct Block {
  enum class Kind { kDevice, kPinned };

  Kind kind;
  uint64_t address;  // what the caller holds
  size_t bytes;
  std::shared_ptr<Context> context;
  std::unique_ptr<unsigned char[]> backing;
  std::atomic<bool> freed{false};
  /** Queued work that reads or writes the block. */
  std::atomic<int> pending{0};

  unsigned char* host(uint64_t at) const { return backing.get() + (at - address); }
};

/** Part of a block, held by queued work; the block counts it as pending for as long as this lives. */
class Span {
 public:
  Span() = default;
  Span(std::shared_ptr<Block> block, uint64_t at, size_t bytes);
  ~Span();
  Span(Span&& other) noexcept = default;
  Span& operator=(Span&& other) noexcept = default;

  explicit operator bool() const { return block_ != nullptr; }
  unsigned char* data() const { return block_->host(at_); }
  Block const& block() const { return *block_; }

 private:
  std::shared_ptr<Block> block_;
  uint64_t at_ = 0;
};

class Memory {
 public:
  static Memory& get();

  /** `function` names the caller in messages. Null where the device has no room. */
  std::shared_ptr<Block> allocateDevice(std::shared_ptr<Context> const& context, size_t bytes);
  std::shared_ptr<Block> allocatePinned(std::shared_ptr<Context> const& context, size_t bytes);
  CUresult free(Block::Kind kind, uint64_t address, Context const& current, char const* function);

  /** The device range [at, at + bytes), or an empty span, having recorded what is wrong with it. */
  Span deviceSpan(uint64_t at, size_t bytes, char const* function);
  /** The page-locked block that holds `host`, or an empty span where it is pageable memory. */
  Span pinnedSpan(void const* host, size_t bytes, char const* function);

  size_t usedBytes(int device);
  /** Takes away what a context still holds when it goes. */
  void dropContext(Context const& context);

 private:
  Memory();
  std::shared_ptr<Block> find(std::map<uint64_t, std::shared_ptr<Block>> const& blocks, uint64_t at) const;
  void account(Block const& block, int sign);

  std::mutex mutex_;
  // Freed device blocks stay listed (without their memory), so that a later use can be named for what it is.
  std::map<uint64_t, std::shared_ptr<Block>> device_, pinned_;
  std::map<int, size_t> used_;
  uint64_t base_ = 0, next_ = 0;
};

}  // namespace trt_double
