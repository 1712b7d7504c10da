// Values of the API's documents as people read them. Pure; missing members are never an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/text_table.hpp"
#include "common/json_document.hpp"

namespace tenon::cli {

inline constexpr std::string_view kNothing = "-";

// A member's text; `otherwise` when it is missing, null or empty. Durations (keys in _ms) and sizes (_bytes) in their
// units, arrays of scalars joined by commas, other values as JSON. Printable.
std::string value_text(std::string_view key, const JsonValue& value);
std::string member_text(const JsonValue& object, std::string_view key, std::string_view otherwise = kNothing);
std::optional<std::int64_t> member_number(const JsonValue& object, std::string_view key);

// Of a process's document: why it is as it is, and whether it waits as a sender. Printable; empty: nothing to say.
std::string process_reason(const JsonValue& process);

// Green for what is well, yellow for what is on its way, red for what is broken: statuses of processes, health,
// plugins, supervisors, transports and circuits.
Colour colour_of_state(std::string_view state) noexcept;

}  // namespace tenon::cli
