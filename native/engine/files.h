#pragma once

#include <string>
#include <vector>

namespace trtnode {

// The bytes of `path`; empty where there is no such file. Throws Error IO_ERROR.
std::vector<char> readFileIfThere(std::string const& path);

// Writes the file `name` in one step, so that a reader finds the old bytes or the new ones. Keeps the old
// file's mode, and a symbolic link to it. Throws Error IO_ERROR.
void writeFileAtomically(std::string const& name, void const* data, size_t size);

}  // namespace trtnode
