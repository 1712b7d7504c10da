// An amount of memory in words, for the reasons that our plugins give.
#pragma once

#include <cstdint>
#include <string>

namespace tenon::plugins {

// "0 B", "1000 B", "1.5 KiB", "12 MiB", "256.1 MiB": in the largest unit that it fills, rounded up to a tenth, so that
// what is over a limit looks so.
inline std::string describe_size(std::uint64_t octets) {
  static constexpr const char* kUnits[] = {" B", " KiB", " MiB", " GiB", " TiB"};
  unsigned unit = 0;
  while (unit < 4 && octets >> (10 * (unit + 1)) != 0) ++unit;
  const std::uint64_t size = std::uint64_t{1} << (10 * unit);
  std::uint64_t whole = octets / size;
  std::uint64_t tenths = (octets % size * 10 + size - 1) / size;
  if (tenths == 10) ++whole, tenths = 0;
  return std::to_string(whole) + (tenths == 0 ? "" : "." + std::to_string(tenths)) + kUnits[unit];
}

}  // namespace tenon::plugins
