#include "engine/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "loader/error.h"

namespace trtnode {
namespace {

Error ioError(std::string const& what, std::string const& path) {
  return {ErrorCode::kIoError, "cannot " + what + " " + path + ": " + std::strerror(errno)};
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

// The file behind a symbolic link, which is not to be replaced itself.
std::string targetOf(std::string const& path) {
  std::unique_ptr<char, decltype(&free)> const target(realpath(path.c_str(), nullptr), free);
  return target != nullptr ? target.get() : path;
}

// A new file in the folder of `path`, with the mode that the process gives its files (mkstemp's is 0600).
int createBeside(std::string const& path, std::string& temporary) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary = path + "." + std::to_string(getpid()) + "-" + std::to_string(attempt);
    int const fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

}  // namespace

std::vector<char> readFileIfThere(std::string const& path) {
  Descriptor const file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) {
    if (errno == ENOENT) return {};
    throw ioError("read", path);
  }
  struct stat facts{};
  if (fstat(file.number, &facts) != 0) throw ioError("read", path);
  if (S_ISDIR(facts.st_mode)) {
    errno = EISDIR;
    throw ioError("read", path);
  }
  std::vector<char> bytes(static_cast<size_t>(facts.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t const got = read(file.number, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw ioError("read", path);
    if (got == 0) break;  // it was cut meanwhile
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

void writeFileAtomically(std::string const& name, void const* data, size_t size) {
  std::string const path = targetOf(name);
  struct stat old{};
  bool const replaces = stat(path.c_str(), &old) == 0;
  std::string temporary;
  int const fd = createBeside(path, temporary);
  if (fd < 0) throw ioError("write", path);
  // Where the old file is somebody else's, its mode may be refused; the new one then has the usual one.
  if (replaces) static_cast<void>(fchmod(fd, old.st_mode & 07777) == 0);
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
