// A restart policy as a C++ class:
//
//   class Mine {
//    public:
//     explicit Mine(tenon::sdk::Host host);                        // reads its config; throws sdk::Error
//     tenon::sdk::Decision on_exit(const tenon_exit& exit) const;  // pure
//     void on_ready(std::uint64_t start_to_ready_ns, std::uint64_t* memory);  // optional; memory: four words
//     void reset(std::uint64_t* memory);                                      // optional
//     const void* get_interface(std::string_view id);                         // optional
//   };
#pragma once

#include <cstring>
#include <string>
#include <type_traits>

#include "../restart_policy.h"
#include "host.hpp"
#include "slots.hpp"

#pragma GCC visibility push(hidden)

namespace tenon::sdk {

struct Decision {
  std::uint32_t action = TENON_RESTART_RESTART;
  std::uint64_t delay_ns = 0;
  bool reset = false;
  std::string text = {};  // what `tenon status` adds to exit, number and delay; cut at 128 octets, between characters
  bool keeps_memory = false;
  std::uint64_t memory[4] = {};  // taken over only with keeps_memory
};

template <class Policy>
const tenon_restart_policy* restart_policy_table() noexcept {
  using Instance = detail::Instance<Policy>;
  static const tenon_restart_policy table = [] {
    tenon_restart_policy t;
    TENON_INIT(&t);
    t.create = [](const tenon_host* host, void** out, tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] { *out = new Instance(host, Host(host)); });
    };
    t.destroy = [](void* self) noexcept { guarded_void([&] { delete static_cast<Instance*>(self); }); };
    t.on_exit = [](void* self, const tenon_exit* exit, tenon_restart_decision* out,
                   tenon_error* error) noexcept -> tenon_status {
      return guarded(error, [&] {
        const Decision decision = static_cast<Instance*>(self)->object.on_exit(*exit);
        out->action = decision.action;
        out->delay_ns = decision.delay_ns;
        out->reset = decision.reset ? 1 : 0;
        out->text_size = static_cast<std::uint32_t>(whole_characters(decision.text, sizeof out->text));
        std::memcpy(out->text, decision.text.data(), out->text_size);
        if (decision.keeps_memory) std::memcpy(out->memory, decision.memory, sizeof out->memory);
      });
    };
    if constexpr (detail::has_on_ready<Policy>::value)
      t.on_ready = [](void* self, std::uint64_t start_to_ready_ns, std::uint64_t* memory) noexcept {
        guarded_void([&] { static_cast<Instance*>(self)->object.on_ready(start_to_ready_ns, memory); });
      };
    if constexpr (detail::has_reset<Policy>::value)
      t.reset = [](void* self, std::uint64_t* memory) noexcept {
        guarded_void([&] { static_cast<Instance*>(self)->object.reset(memory); });
      };
    if constexpr (detail::has_get_interface<Policy>::value)
      t.get_interface = [](void* self, tenon_str id) noexcept {
        return detail::interface_of(static_cast<Instance*>(self)->object, id);
      };
    return t;
  }();
  return &table;
}

}  // namespace tenon::sdk

#pragma GCC visibility pop
