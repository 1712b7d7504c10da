// Numbers of JSON: their grammar (RFC 8259 section 6) and their values.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenon::json_plugin {

struct NumberToken {
  const char* begin;
  const char* end;
  bool integer;  // neither fraction nor exponent

  std::string_view view() const noexcept { return {begin, static_cast<std::size_t>(end - begin)}; }
};

namespace detail {

inline bool is_digit(char c) noexcept { return static_cast<unsigned char>(c - '0') < 10; }

inline const char* skip_digits(const char* at, const char* stop) noexcept {
  while (at < stop && is_digit(*at)) ++at;
  return at;
}

}  // namespace detail

// The number at the start of [begin, stop); its end is null if there is none. What follows it is not looked at.
inline NumberToken scan_number(const char* begin, const char* stop) noexcept {
  constexpr NumberToken kNone = {nullptr, nullptr, false};
  const char* at = begin;
  if (at < stop && *at == '-') ++at;
  const char* digits = at;
  at = detail::skip_digits(at, stop);
  if (at == digits || (*digits == '0' && at - digits > 1)) return kNone;
  bool integer = true;
  if (at < stop && *at == '.') {
    digits = at + 1;
    at = detail::skip_digits(digits, stop);
    if (at == digits) return kNone;
    integer = false;
  }
  if (at < stop && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < stop && (*at == '+' || *at == '-')) ++at;
    digits = at;
    at = detail::skip_digits(digits, stop);
    if (at == digits) return kNone;
    integer = false;
  }
  return {begin, at, integer};
}

// A number's value. An integer that fits is exact; "-0", larger integers and everything with a fraction or exponent is
// the nearest double, which is infinite if the number is beyond the doubles. (ValueReader passes larger integers on to
// nobody.)
struct Number {
  enum class Kind : std::uint8_t { negative, natural, real };
  Kind kind;
  std::int64_t negative;
  std::uint64_t natural;
  double real;
};
Number value_of(const NumberToken& token) noexcept;

}  // namespace tenon::json_plugin
