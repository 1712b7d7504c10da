// CloudEvents' Integer type: a whole number of 32 bits with sign, and its text form.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "scratch.hpp"

namespace tenon::serializers {

inline bool fits_integer_attribute(std::int64_t value) noexcept {
  return value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
}

// The value of "-?[0-9]+", or nothing if it is no such text or does not fit.
inline std::optional<std::int32_t> parse_integer_attribute(std::string_view text) noexcept {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The canonical text, in scratch memory. Requires fits_integer_attribute(value).
inline std::string_view integer_text(std::int64_t value, Scratch& scratch) {
  constexpr std::size_t kLongest = 11;  // -2147483648
  char* text = scratch.take(kLongest);
  const std::size_t size = static_cast<std::size_t>(std::to_chars(text, text + kLongest, value).ptr - text);
  scratch.give_back(kLongest - size);
  return {text, size};
}

}  // namespace tenon::serializers
