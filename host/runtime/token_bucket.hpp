// A rate in bytes: a long-run average with a burst. Pure: the time is an argument.
#pragma once

#include <cstdint>

#include "common/clock.hpp"

namespace tenon::runtime {

class TokenBucket {
 public:
  // Starts full. A rate of 0 admits everything; a burst under 1 counts as 1.
  TokenBucket(std::uint64_t per_second, std::uint64_t burst) noexcept;
  // Takes `amount` if as much is there, else nothing. What is larger than the whole burst passes when the bucket is
  // full.
  bool take(std::uint64_t amount, MonotonicTime now) noexcept;

 private:
  std::uint64_t per_second_;
  std::uint64_t burst_;
  std::uint64_t level_;
  MonotonicTime updated_{};
};

}  // namespace tenon::runtime
