#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace trtnode {

// Bytes on the heap that nobody zeroed first.
struct Blob {
  Blob() = default;
  explicit Blob(size_t bytes) : data(new uint8_t[bytes]), size(bytes) {}

  std::unique_ptr<uint8_t[]> data;
  size_t size = 0;
};

}  // namespace trtnode
