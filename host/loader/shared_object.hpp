// dlopen behind two functions: the only code that includes Boost.DLL.
#pragma once

#include <string>

#include <tenon/plugin.h>

#include "common/result.hpp"

namespace tenon::loader {

// A mapped library. It is never unmapped; this is only what is known about it.
struct SharedObject {
  const void* base = nullptr;                     // where it lies
  const tenon_plugin* (*describe)() = nullptr;    // tenon_plugin_v1
};

// Maps the file with RTLD_NOW | RTLD_LOCAL and runs its constructors. errc::bad_data, fault::plugin, with the dynamic
// linker's own words: a symbol that nothing defines, a missing library; or if the file exports no tenon_plugin_v1.
Result<SharedObject> map_shared_object(const std::string& path);

// False if the address belongs to another mapped library than the object's. Memory of no library counts as its own.
bool owns_address(const SharedObject& object, const void* address) noexcept;

}  // namespace tenon::loader
