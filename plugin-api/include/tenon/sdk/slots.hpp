// Which optional slots of a table an author's class fills: those it has a member function for. The host puts a stand-in
// where a slot is empty, and says of the component what it cannot do.
//
// A member of the right name whose arguments do not fit is an error of the compiler, never an empty slot; so that this
// can be told, an optional member is public and not overloaded.
#pragma once

#include <string_view>
#include <type_traits>

#include "error.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk::detail {

#define TENON_SDK_OPTIONAL(member)                                                  \
  template <class Object, class = void>                                             \
  struct has_##member : std::false_type {};                                         \
  template <class Object>                                                           \
  struct has_##member<Object, std::void_t<decltype(&Object::member)>> : std::true_type {};

TENON_SDK_OPTIONAL(request)
TENON_SDK_OPTIONAL(reply)
TENON_SDK_OPTIONAL(resume)
TENON_SDK_OPTIONAL(splice)
TENON_SDK_OPTIONAL(cancel)
TENON_SDK_OPTIONAL(on_ready)
TENON_SDK_OPTIONAL(reset)
TENON_SDK_OPTIONAL(get_interface)

#undef TENON_SDK_OPTIONAL

// What `const void* get_interface(std::string_view id)` of the object answers: the table of the interface called `id`,
// static or valid as long as the instance, or null. What it throws is null.
template <class Object>
const void* interface_of(Object& object, tenon_str id) noexcept {
  const void* found = nullptr;
  guarded_void([&] { found = object.get_interface(from_abi(id)); });
  return found;
}

}  // namespace tenon::sdk::detail

#pragma GCC visibility pop
