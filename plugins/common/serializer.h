// How a plugin is written into an engine: little-endian whatever the machine, every read checked against the
// end.
//   "TRNP"  u16 version  u16 length + name of the operator  its own fields  (nothing after them)
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "boundary.h"

namespace tensorrt_node {

constexpr uint16_t kSerialVersion = 1;

class Writer {
 public:
  explicit Writer(std::string const& name) {
    for (char letter : {'T', 'R', 'N', 'P'}) bytes_.push_back(static_cast<uint8_t>(letter));
    writeUnsigned(kSerialVersion, 2);
    writeUnsigned(name.size(), 2);
    bytes_.insert(bytes_.end(), name.begin(), name.end());
  }
  void writeInt32(int32_t value) { writeUnsigned(static_cast<uint32_t>(value), 4); }
  void writeBool(bool value) { writeUnsigned(value ? 1 : 0, 1); }
  void writeFloat(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    writeUnsigned(bits, 4);
  }
  void writeFloats(std::vector<float> const& values) {
    writeUnsigned(values.size(), 8);
    for (float value : values) writeFloat(value);
  }
  std::vector<uint8_t> const& bytes() const { return bytes_; }

 private:
  void writeUnsigned(uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<uint8_t>(value >> 8 * i));
  }
  std::vector<uint8_t> bytes_;
};

/** Reads what a Writer of the same name wrote; throws PluginError where the bytes are not that. */
class Reader {
 public:
  Reader(std::string const& name, void const* data, size_t size)
      : next_(static_cast<uint8_t const*>(data)), left_(data == nullptr ? 0 : size) {
    if (left_ < 4 || std::memcmp(next_, "TRNP", 4) != 0)
      throw PluginError("not data that this library serialized");
    next_ += 4, left_ -= 4;
    auto const version = readUnsigned(2);
    if (version != kSerialVersion) {
      throw PluginError("serialized by format version " + std::to_string(version) +
                        ", this library reads version " + std::to_string(kSerialVersion) +
                        ": build the engine with the library it runs with");
    }
    auto const length = readUnsigned(2);
    require(length);
    std::string const written(reinterpret_cast<char const*>(next_), length);
    next_ += length, left_ -= length;
    if (written != name)
      throw PluginError("expected the data of a " + name + ", got that of a '" + written + "'");
  }
  int32_t readInt32() { return static_cast<int32_t>(static_cast<uint32_t>(readUnsigned(4))); }
  bool readBool() {
    auto const value = readUnsigned(1);
    if (value > 1) throw PluginError("damaged data: a flag is " + std::to_string(value));
    return value == 1;
  }
  float readFloat() {
    auto const bits = static_cast<uint32_t>(readUnsigned(4));
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  std::vector<float> readFloats() {
    uint64_t const count = readUnsigned(8);
    if (count > left_ / 4)
      throw PluginError("damaged data: it ends within a list of " + std::to_string(count));
    std::vector<float> values(count);
    for (float& value : values) value = readFloat();
    return values;
  }
  void finish() const {
    if (left_ != 0) throw PluginError("damaged data: " + std::to_string(left_) + " bytes more than expected");
  }

 private:
  void require(size_t size) const {
    if (left_ < size) throw PluginError("damaged data: it ends too early");
  }
  uint64_t readUnsigned(int size) {
    require(static_cast<size_t>(size));
    uint64_t value = 0;
    for (int i = 0; i < size; ++i) value |= static_cast<uint64_t>(next_[i]) << 8 * i;
    next_ += size, left_ -= static_cast<size_t>(size);
    return value;
  }
  uint8_t const* next_;
  size_t left_;
};

}  // namespace tensorrt_node
