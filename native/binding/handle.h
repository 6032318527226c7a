#pragma once

#include <napi.h>

#include <memory>

#include "engine/tensorrt_family.h"
#include "loader/error.h"

namespace trtnode {

// A tag of this family's addon: the addons of several families live in one process, compiled against other
// headers, and one's object is no object of the other's.
template <class T>
constexpr napi_type_tag tagOf() {
  return {T::kTag.lower, T::kTag.upper ^ family::kTag};
}

// A native object in JavaScript's hands: an opaque value that holds a share of it. Type-tagged, so that a
// handle of another kind, or of somebody else's addon, is an error and not a crash. `T` has a member `kTag`.
template <class T>
Napi::External<std::shared_ptr<T>> makeHandle(Napi::Env env, std::shared_ptr<T> object,
                                              void (*released)(T&) = nullptr) {
  auto handle = Napi::External<std::shared_ptr<T>>::New(env, new std::shared_ptr<T>(std::move(object)),
                                                        [released](Napi::Env, std::shared_ptr<T>* share) {
                                                          if (released != nullptr) released(**share);
                                                          delete share;
                                                        });
  constexpr napi_type_tag tag = tagOf<T>();
  handle.TypeTag(&tag);
  return handle;
}

// The share that a handle holds, which is null once somebody has taken it.
template <class T>
std::shared_ptr<T>& shareOf(Napi::Value value) {
  constexpr napi_type_tag tag = tagOf<T>();
  if (!value.IsExternal() || !value.As<Napi::External<std::shared_ptr<T>>>().CheckTypeTag(&tag)) {
    throw Error(ErrorCode::kInvalidArgument, "expected a handle that this addon gave");
  }
  return *value.As<Napi::External<std::shared_ptr<T>>>().Data();
}

template <class T>
std::shared_ptr<T> fromHandle(Napi::Value value) {
  std::shared_ptr<T> const& share = shareOf<T>(value);
  if (share == nullptr) throw Error(ErrorCode::kClosed, "the handle was closed");
  return share;
}

}  // namespace trtnode
