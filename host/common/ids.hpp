// Identifiers and random numbers.
//
// Event ids are ULIDs: 48 bits of milliseconds, 80 random bits, 26 characters of Crockford's base32, so that ids sort
// by time. One generator is strictly monotone: within a millisecond, and when the clock steps back, it counts the
// random part up by one. Ids are unique, not secret: who saw one can guess the next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "common/clock.hpp"

namespace tenon {

// Fills from getrandom(2), for keys and tokens. Ends the program if the kernel refuses (it never does once booted).
// [any]
void random_bytes(std::span<std::byte> out);
std::uint64_t random_u64();

// xoshiro256**: fast and good enough for jitter, sampling and id bits; not for secrets. Satisfies
// UniformRandomBitGenerator. Not thread-safe.
class Random {
 public:
  using result_type = std::uint64_t;
  Random();                                     // seeded by the kernel
  explicit Random(std::uint64_t seed) noexcept;  // the same sequence for the same seed, on every machine

  std::uint64_t next() noexcept;
  std::uint64_t operator()() noexcept { return next(); }
  static constexpr std::uint64_t min() noexcept { return 0; }
  static constexpr std::uint64_t max() noexcept { return std::numeric_limits<std::uint64_t>::max(); }

  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
  double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }
  // Uniform in [0, bound), without bias. Requires bound > 0.
  std::uint64_t below(std::uint64_t bound) noexcept;

 private:
  std::array<std::uint64_t, 4> state_;
};

class UlidGenerator {
 public:
  static constexpr std::size_t kSize = 26;

  UlidGenerator() = default;                                             // random bits seeded by the kernel
  explicit UlidGenerator(std::uint64_t seed_for_test) : random_(seed_for_test) {}

  // Writes kSize characters, no terminator, no allocation. `now` before 1970 counts as 1970. Not thread-safe.
  void write_to(char* out, WallTime now) noexcept;
  std::string next(WallTime now);

 private:
  void start_millisecond(std::uint64_t milliseconds) noexcept;

  Random random_;
  std::uint64_t last_ms_ = 0;
  bool started_ = false;
  std::array<char, kSize> last_{};
};

bool is_ulid(std::string_view text) noexcept;

}  // namespace tenon
