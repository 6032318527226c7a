// Device memory of the emulator and what kernels do with it.
//
// Built plainly, a device buffer is a heap block of exactly the size asked for, so that AddressSanitizer sees
// every overrun. Built with EMULATOR_COUNTS_TRAFFIC and -fsanitize=thread (and without its library: the calls
// the compiler makes before every access are answered in traffic.cc), every access of the kernel is checked
// against the buffers and its own alignment, accesses to shared memory are checked for races, and global ones
// are counted as a GPU would make them: what the lanes of a warp do in one instruction is a request, and a
// request touches 32-byte sectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace emulator {

/** Requests of one kernel to one buffer, in one direction. */
struct Traffic {
  uint64_t requests = 0;
  uint64_t bytes = 0;
  uint64_t sectors = 0;
  /** Different sectors: `sectors / uniqueSectors` is how many times the buffer went over the bus. */
  uint64_t uniqueSectors = 0;
  /** Width of a lane's access in bytes → how many requests had it. */
  std::map<unsigned, uint64_t> widths;
};

/** Memory for kernels, of exactly `bytes`, aligned to 256 bytes plus `misalignment`. `name` stands in
 * reports. */
void* allocate(size_t bytes, char const* name, size_t misalignment = 0);

/** Gives every buffer back. */
void releaseAll();

/** What kernels did since the last call, by "name read" and "name write". Empty where traffic is not counted.
 */
std::map<std::string, Traffic> takeTraffic();

}  // namespace emulator
