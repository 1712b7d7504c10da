// A health check as a C++ class:
//
//   class Mine {
//    public:
//     explicit Mine(tenon::sdk::Host host);
//     void start(const tenon_health_target& target);                   // copy what you need
//     void check(std::uint64_t token, std::uint64_t deadline_ns);      // ends with host.complete_check(token, …)
//     void stop();
//     void cancel();                                                   // optional: free what the check under way holds
//     const void* get_interface(std::string_view id);                  // optional
//   };
#pragma once

#include "../health_check.h"
#include "host.hpp"
#include "slots.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk {

template <class Check>
const tenon_health_check* health_check_table() noexcept {
  using Instance = detail::Instance<Check>;
  static const tenon_health_check table = [] {
    tenon_health_check t;
    TENON_INIT(&t);
    t.create = [](const tenon_host* host, void** out, tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { *out = new Instance(host, Host(host)); });
    };
    t.destroy = [](void* self) noexcept { guarded_void([&] { delete static_cast<Instance*>(self); }); };
    t.start = [](void* self, const tenon_health_target* target, tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.start(*target); });
    };
    t.check = [](void* self, std::uint64_t token, std::uint64_t deadline_ns,
                 tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.check(token, deadline_ns); });
    };
    if constexpr (detail::has_cancel<Check>::value)
      t.cancel = [](void* self) noexcept { guarded_void([&] { static_cast<Instance*>(self)->object.cancel(); }); };
    t.stop = [](void* self) noexcept { guarded_void([&] { static_cast<Instance*>(self)->object.stop(); }); };
    if constexpr (detail::has_get_interface<Check>::value)
      t.get_interface = [](void* self, tenon_str id) noexcept {
        return detail::interface_of(static_cast<Instance*>(self)->object, id);
      };
    return t;
  }();
  return &table;
}

}  // namespace tenon::sdk

#pragma GCC visibility pop
