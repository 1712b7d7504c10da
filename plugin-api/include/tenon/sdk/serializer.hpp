// A serializer as a C++ class:
//
//   class Mine {
//    public:
//     explicit Mine(tenon::sdk::Host host);
//     static void describe(tenon_serializer_info& out);
//     void read_event(tenon_bytes input, tenon_event& out);
//     void write_event(const tenon_event& event, tenon_buffer& out);
//     tenon_status read_value(tenon_bytes input, const tenon_value_sink& sink);  // returns a sink's refusal as it is
//     void write_value(tenon_buffer& out, tenon_value_sink& out_sink);
//     void finish_value();
//     std::size_t splice(tenon_bytes encoded, const tenon_attribute* added, std::size_t count, tenon_buffer& out);
//                                                                                 // optional
//     const void* get_interface(std::string_view id);                             // optional
//   };
//
// All of them throw sdk::Error. read_value additionally returns the status with which the sink ended the stream.
#pragma once

#include "../serializer.h"
#include "host.hpp"
#include "slots.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk {

// Appends octets; throws at the host's limit.
inline void append(tenon_buffer& out, const void* octets, std::size_t size) {
  if (tenon_append(&out, octets, size) != TENON_OK)
    throw Error(TENON_ERR_EXHAUSTED, "the encoded event exceeds the host's size limit; raise max_event or send less",
                TENON_FAULT_CALLER);
}

template <class Serializer>
const tenon_serializer* serializer_table() noexcept {
  using Instance = detail::Instance<Serializer>;
  static const tenon_serializer table = [] {
    tenon_serializer t;
    TENON_INIT(&t);
    t.create = [](const tenon_host* host, void** out, tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { *out = new Instance(host, Host(host)); });
    };
    t.destroy = [](void* self) noexcept { guarded_void([&] { delete static_cast<Instance*>(self); }); };
    t.describe = [](void*, tenon_serializer_info* out) noexcept { guarded_void([&] { Serializer::describe(*out); }); };
    t.read_event = [](void* self, tenon_bytes input, tenon_event* out, tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.read_event(input, *out); });
    };
    t.write_event = [](void* self, const tenon_event* event, tenon_buffer* out,
                       tenon_error* error) noexcept -> tenon_status {
      const std::size_t before = out->size;
      const tenon_status status =
          guarded(error, [&] { static_cast<Instance*>(self)->object.write_event(*event, *out); });
      if (status != TENON_OK) out->size = before;
      return status;
    };
    t.read_value = [](void* self, tenon_bytes input, const tenon_value_sink* sink,
                      tenon_error* error) noexcept -> tenon_status {
      tenon_status from_sink = TENON_OK;
      const tenon_status status =
          guarded(error, [&] { from_sink = static_cast<Instance*>(self)->object.read_value(input, *sink); });
      if (status != TENON_OK || from_sink == TENON_OK) return status;
      return tenon_fail(error, from_sink, TENON_FAULT_CALLER, 0, to_abi("the receiving format cannot express a value"));
    };
    t.write_value = [](void* self, tenon_buffer* out, tenon_value_sink* out_sink,
                       tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.write_value(*out, *out_sink); });
    };
    t.finish_value = [](void* self, tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { static_cast<Instance*>(self)->object.finish_value(); });
    };
    if constexpr (detail::has_splice<Serializer>::value)
      t.splice = [](void* self, tenon_bytes encoded, const tenon_attribute* added, std::size_t count, tenon_buffer* out,
                    tenon_splice* out_splice, tenon_error* error) noexcept -> tenon_status {
        const std::size_t before = out->size;
        const tenon_status status = guarded(error, [&] {
          out_splice->skip = static_cast<Instance*>(self)->object.splice(encoded, added, count, *out);
        });
        if (status != TENON_OK) out->size = before;
        return status;
      };
    if constexpr (detail::has_get_interface<Serializer>::value)
      t.get_interface = [](void* self, tenon_str id) noexcept {
        return detail::interface_of(static_cast<Instance*>(self)->object, id);
      };
    return t;
  }();
  return &table;
}

}  // namespace tenon::sdk

#pragma GCC visibility pop
