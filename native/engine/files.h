#pragma once

#include <string>
#include <vector>

namespace trtnode {

// The bytes of `path`; empty where there is no such file. Throws Error IO_ERROR.
std::vector<char> readFileIfThere(std::string const& path);

// Writes `path` in one step, so that a reader finds the old bytes or the new ones. Throws Error IO_ERROR.
void writeFileAtomically(std::string const& path, void const* data, size_t size);

}  // namespace trtnode
