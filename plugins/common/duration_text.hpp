// A length of time in words, for the reasons and decisions that our plugins give.
#pragma once

#include <cstdint>
#include <string>

namespace tenon::plugins {

// One unit, rounded down: "0 ms", "800 ms", "1.5 s", "30 s", "90 min", "24 h".
inline std::string describe_duration(std::uint64_t ns) {
  const std::uint64_t ms = ns / 1'000'000;
  if (ms < 1'000) return ms == 0 && ns != 0 ? "less than 1 ms" : std::to_string(ms) + " ms";
  const std::uint64_t tenths = ms / 100;
  if (ms < 10'000 && tenths % 10 != 0) return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  if (ms < 120'000) return std::to_string(ms / 1'000) + " s";
  if (ms < 7'200'000) return std::to_string(ms / 60'000) + " min";
  return std::to_string(ms / 3'600'000) + " h";
}

}  // namespace tenon::plugins
