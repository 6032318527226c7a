#pragma once

#include <string>

namespace trtnode {

// A shared library opened at run time, with RTLD_LOCAL: its symbols stay out of everybody else's way, and
// several families of TensorRT live in one process.
//
// It is never closed. TensorRT keeps threads, thread-locals and exit handlers of its own, so unloading it
// under them crashes; opening the same path again costs nothing, since the loader hands back the same handle.
class SharedLibrary {
 public:
  // Throws std::runtime_error with the loader's own words.
  explicit SharedLibrary(std::string path);

  std::string const& path() const noexcept { return path_; }

  // The function called `name`; throws std::runtime_error where the library has none.
  template <class Function>
  Function* function(char const* name) const {
    return reinterpret_cast<Function*>(require(name));
  }

  // The function called `name`, or null.
  template <class Function>
  Function* optionalFunction(char const* name) const noexcept {
    return reinterpret_cast<Function*>(find(name));
  }

 private:
  void* require(char const* name) const;
  void* find(char const* name) const noexcept;

  std::string path_;
  void* handle_;
};

}  // namespace trtnode
