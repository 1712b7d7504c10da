// A transport as a C++ class. The asynchronous functions either throw sdk::Error (refused, no completion follows) or
// return, and complete with host.complete(token, …) then or later.
//
//   class Mine {
//    public:
//     Mine(tenon::sdk::Host host, const tenon_connection_config& config);
//     void describe(tenon_transport_info& out) const;
//     void connect(std::uint64_t token, std::uint64_t deadline_ns);
//     void disconnect(std::uint64_t token, std::uint64_t deadline_ns);
//     void send(const tenon_message& message, bool settle, std::uint64_t token, std::uint64_t deadline_ns);
//     void subscribe(std::uint64_t subscription, std::string_view pattern, std::string_view group, std::uint64_t token,
//                    std::uint64_t deadline_ns);            // group empty: none
//     void unsubscribe(std::uint64_t subscription, std::uint64_t token, std::uint64_t deadline_ns);
//     void health_check(std::uint64_t token, std::uint64_t deadline_ns);
//
//     // Optional:
//     void request(const tenon_message& message, std::uint64_t token, std::uint64_t deadline_ns);
//     void reply(std::string_view reply, const tenon_message& message, std::uint64_t token, std::uint64_t deadline_ns);
//     void resume();
//     const void* get_interface(std::string_view id);
//   };
#pragma once

#include "../transport.h"
#include "host.hpp"
#include "slots.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk {

template <class Transport>
const tenon_transport* transport_table() noexcept {
  using Instance = detail::Instance<Transport>;
  static const tenon_transport table = [] {
    tenon_transport t;
    TENON_INIT(&t);
    t.create = [](const tenon_host* host, const tenon_connection_config* config, void** out,
                  tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { *out = new Instance(host, Host(host), *config); });
    };
    t.destroy = [](void* self) noexcept { guarded_void([&] { delete static_cast<Instance*>(self); }); };
    t.describe = [](void* self, tenon_transport_info* out) noexcept {
      guarded_void([&] { static_cast<Instance*>(self)->object.describe(*out); });
    };
    t.connect = [](void* self, std::uint64_t token, std::uint64_t deadline,
                   tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.connect(token, deadline); });
    };
    t.disconnect = [](void* self, std::uint64_t token, std::uint64_t deadline,
                      tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.disconnect(token, deadline); });
    };
    t.send = [](void* self, const tenon_message* message, std::uint32_t settle, std::uint64_t token,
                std::uint64_t deadline, tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.send(*message, settle != 0, token, deadline); });
    };
    if constexpr (detail::has_request<Transport>::value)
      t.request = [](void* self, const tenon_message* message, std::uint64_t token, std::uint64_t deadline,
                     tenon_error* error) noexcept -> tenon_status {
        return guarded(error, [&] { static_cast<Instance*>(self)->object.request(*message, token, deadline); });
      };
    if constexpr (detail::has_reply<Transport>::value)
      t.reply = [](void* self, tenon_str reply, const tenon_message* message, std::uint64_t token,
                   std::uint64_t deadline, tenon_error* error) noexcept -> tenon_status {
        return guarded(error, [&] {
          static_cast<Instance*>(self)->object.reply(from_abi(reply), *message, token, deadline);
        });
      };
    t.subscribe = [](void* self, std::uint64_t subscription, tenon_str pattern, tenon_str group, std::uint64_t token,
                     std::uint64_t deadline, tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] {
        static_cast<Instance*>(self)->object.subscribe(subscription, from_abi(pattern), from_abi(group), token,
                                                       deadline);
      });
    };
    t.unsubscribe = [](void* self, std::uint64_t subscription, std::uint64_t token, std::uint64_t deadline,
                       tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.unsubscribe(subscription, token, deadline); });
    };
    t.health_check = [](void* self, std::uint64_t token, std::uint64_t deadline,
                        tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.health_check(token, deadline); });
    };
    if constexpr (detail::has_resume<Transport>::value)
      t.resume = [](void* self) noexcept { guarded_void([&] { static_cast<Instance*>(self)->object.resume(); }); };
    if constexpr (detail::has_get_interface<Transport>::value)
      t.get_interface = [](void* self, tenon_str id) noexcept {
        return detail::interface_of(static_cast<Instance*>(self)->object, id);
      };
    return t;
  }();
  return &table;
}

}  // namespace tenon::sdk

#pragma GCC visibility pop
