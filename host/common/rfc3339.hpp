// Wall-clock times as RFC 3339 text ("2026-05-04T10:11:12.345Z"), without locale, allocation or strftime.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon {

enum class Rfc3339Precision : std::uint8_t { seconds, milliseconds, microseconds, nanoseconds };

// Text in place; converts to a view that lives as long as it.
class Rfc3339Text {
 public:
  std::string_view view() const noexcept { return {text_.data(), size_}; }
  operator std::string_view() const noexcept { return view(); }
  std::string str() const { return std::string(view()); }

 private:
  friend Rfc3339Text format_rfc3339(WallTime, Rfc3339Precision) noexcept;
  std::array<char, 30> text_;
  std::uint8_t size_ = 0;
};

// In UTC with `Z`; finer digits are cut off towards the past. Every WallTime (1677 … 2262) has a text. [any]
Rfc3339Text format_rfc3339(WallTime time, Rfc3339Precision precision = Rfc3339Precision::milliseconds) noexcept;

// Strict RFC 3339: full date, `T` or `t`, `Z`, `z` or a numeric offset, up to nine digits of fraction kept and more cut
// off. A leap second (:60, only where UTC can have one: 23:59:60 at a month's end) counts as the next second.
// errc::bad_data otherwise, errc::invalid_argument outside of what WallTime holds.
Result<WallTime> parse_rfc3339(std::string_view text);

}  // namespace tenon
