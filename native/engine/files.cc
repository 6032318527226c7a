#include "engine/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "loader/error.h"

namespace trtnode {
namespace {

Error ioError(std::string const& what, std::string const& path) {
  return {ErrorCode::kIoError, "cannot " + what + " " + path + ": " + std::strerror(errno)};
}

}  // namespace

std::vector<char> readFileIfThere(std::string const& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return {};
    throw ioError("read", path);
  }
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw ioError("read", path);
  return bytes;
}

void writeFileAtomically(std::string const& path, void const* data, size_t size) {
  std::string temporary = path + ".XXXXXX";
  int const fd = mkstemp(temporary.data());
  if (fd < 0) throw ioError("write", path);
  auto const* next = static_cast<char const*>(data);
  size_t left = size;
  while (left > 0) {
    ssize_t const written = write(fd, next, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      Error const error = ioError("write", path);
      close(fd);
      unlink(temporary.c_str());
      throw error;
    }
    next += written;
    left -= static_cast<size_t>(written);
  }
  bool const closed = close(fd) == 0;
  if (!closed || std::rename(temporary.c_str(), path.c_str()) != 0) {
    Error const error = ioError("write", path);
    unlink(temporary.c_str());
    throw error;
  }
}

}  // namespace trtnode
