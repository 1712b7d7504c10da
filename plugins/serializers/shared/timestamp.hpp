// Is it an RFC 3339 date-time? CloudEvents' Timestamp type is this text and nothing looser.
#pragma once

#include <cstddef>
#include <string_view>

namespace tenon::serializers {

namespace detail {

// The number that two digits at `at` stand for, or -1.
inline int two_digits(const char* at) noexcept {
  const unsigned tens = static_cast<unsigned char>(at[0]) - '0';
  const unsigned ones = static_cast<unsigned char>(at[1]) - '0';
  return tens > 9 || ones > 9 ? -1 : static_cast<int>(tens * 10 + ones);
}

inline int days_in(int month, int year) noexcept {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// "Z" or "+hh:mm" or "-hh:mm", and nothing after it.
inline bool is_zone(std::string_view text) noexcept {
  if (text == "Z" || text == "z") return true;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  const int hour = two_digits(text.data() + 1);
  const int minute = two_digits(text.data() + 4);
  return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59;
}

}  // namespace detail

// "2026-11-22T10:18:32Z", with a fraction of any length and a zone of any legal kind. A leap second is legal in any
// minute: no table of them would stay right.
inline bool is_timestamp(std::string_view text) noexcept {
  if (text.size() < 20) return false;
  const char* at = text.data();
  if (at[4] != '-' || at[7] != '-' || (at[10] != 'T' && at[10] != 't') || at[13] != ':' || at[16] != ':') return false;
  const int century = detail::two_digits(at);
  const int year = detail::two_digits(at + 2);
  const int month = detail::two_digits(at + 5);
  const int day = detail::two_digits(at + 8);
  const int hour = detail::two_digits(at + 11);
  const int minute = detail::two_digits(at + 14);
  const int second = detail::two_digits(at + 17);
  if (century < 0 || year < 0 || month < 1 || month > 12) return false;
  if (day < 1 || day > detail::days_in(month, century * 100 + year)) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
  std::size_t i = 19;
  if (at[i] == '.') {
    const std::size_t first = ++i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    if (i == first) return false;
  }
  return detail::is_zone(text.substr(i));
}

}  // namespace tenon::serializers
