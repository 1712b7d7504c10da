// Values of an instance's config as tenon_host answers them: nothing when a value is of another type than asked for.
// Text lives as long as the document.
#pragma once

#include <optional>

#include <tenon/host.h>

#include "common/json_document.hpp"
#include "common/units.hpp"

namespace tenon::integration {

// An empty text is not an absent one.
inline tenon_str present(std::string_view text) noexcept { return {text.empty() ? "" : text.data(), text.size()}; }

inline std::optional<tenon_str> string_of(const JsonValue& value) {
  const auto text = value.as_string();
  return text ? std::optional(present(*text)) : std::nullopt;
}
inline std::optional<std::uint32_t> boolean_of(const JsonValue& value) {
  const auto boolean = value.as_bool();
  return boolean ? std::optional<std::uint32_t>(*boolean ? 1 : 0) : std::nullopt;
}
inline std::optional<std::uint64_t> duration_of(const JsonValue& value) {
  const auto text = value.as_string();
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  return duration.ok() ? std::optional<std::uint64_t>(duration->count()) : std::nullopt;
}
inline std::optional<std::uint64_t> size_of(const JsonValue& value) {
  if (const auto number = value.as_u64()) return number;
  const auto text = value.as_string();
  if (!text) return std::nullopt;
  const auto size = parse_bytes(*text);
  return size.ok() ? std::optional<std::uint64_t>(*size) : std::nullopt;
}
inline std::optional<std::size_t> count_of(const JsonValue& value) {
  return value.is_array() || value.is_object() ? std::optional(value.size()) : std::nullopt;
}

}  // namespace tenon::integration
