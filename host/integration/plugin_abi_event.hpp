// The host's envelope as the ABI's tenon_event.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include <tenon/event.h>

#include "message/envelope.hpp"

namespace tenon::integration {

tenon_attribute to_abi_attribute(const message::Attribute& attribute) noexcept;

// `out` points into the event and into `extensions`, which is filled anew.
void fill_abi_event(const message::BaseMessageEnvelope& event, std::vector<tenon_attribute>& extensions,
                    tenon_event& out);

// CloudEvents 1.0.2, "Attribute Naming Convention".
inline bool is_attribute_name(std::string_view name) noexcept {
  const auto legal = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && std::all_of(name.begin(), name.end(), legal);
}

}  // namespace tenon::integration
