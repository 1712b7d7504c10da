// Durations and sizes as people write them in the config and read them in tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon {

// "250ms", "5s", "2m", "1.5h", "0ms": a decimal number and one of ns, us, ms, s, m, h, d; plain "0" too. Never
// negative. A fraction finer than a nanosecond is cut off. errc::invalid_argument, with what was expected, for anything
// else and for more than Duration holds (292 years).
Result<Duration> parse_duration(std::string_view text);

// For people, at most two units: "800 ms", "1.5 s", "12 s", "1h 2m", "3d 4h", "0 s". Not meant to be parsed.
std::string format_duration(Duration value);
// What is left of it is cut off.
constexpr std::int64_t whole_milliseconds(Duration value) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
}

// The shortest text that parse_duration reads back exactly: "250ms", "90s", "0s". Requires value >= 0.
std::string duration_to_config(Duration value);

// "0B", "512", "64KiB", "256MiB", "1.5GiB", "1MB": units B, KiB, MiB, GiB, TiB (powers of 1024) and kB, KB, MB, GB, TB
// (powers of 1000); a plain integer is bytes. A fraction must come out as whole bytes. errc::invalid_argument
// otherwise.
Result<std::uint64_t> parse_bytes(std::string_view text);

// For people, in binary units, cut off: "0 B", "512 B", "1.5 KiB", "256 MiB".
std::string format_bytes(std::uint64_t bytes);

}  // namespace tenon
