#include "loader/shared_library.h"

#include <dlfcn.h>

#include <stdexcept>
#include <utility>

namespace trtnode {

SharedLibrary::SharedLibrary(std::string path)
    : path_(std::move(path)), handle_(dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    char const* reason = dlerror();
    throw std::runtime_error(reason != nullptr ? reason : "cannot open " + path_);
  }
}

void* SharedLibrary::find(char const* name) const noexcept {
  return dlsym(handle_, name);
}

void* SharedLibrary::require(char const* name) const {
  void* symbol = find(name);
  if (symbol == nullptr) throw std::runtime_error(path_ + " has no function " + name);
  return symbol;
}

}  // namespace trtnode
