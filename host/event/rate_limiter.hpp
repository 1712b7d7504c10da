// A token bucket as a pure function of time: at most `burst` at once, then one per `interval`. Made for log lines that
// a broken peer could otherwise write without end; counts what it refused, so that nothing is silently lost.
//
// The model is GCRA: instead of a level that has to be refilled, it remembers the instant at which the bucket will be
// full again. One subtraction and one comparison a call, no rounding, no drift, and no clock of its own.
//
// Not thread-safe. An earlier `now` than before grants nothing extra.
#pragma once

#include <cstdint>
#include <utility>

#include "common/clock.hpp"

namespace tenon::event {

class RateLimiter {
 public:
  // interval > 0, 1 <= burst. Starts full.
  constexpr RateLimiter(Duration interval, std::uint32_t burst) noexcept
      : interval_(interval), tolerance_(interval * (burst > 0 ? burst - 1 : 0)) {}

  // Takes a token if there is one.
  [[nodiscard]] constexpr bool allow(MonotonicTime now) noexcept {
    if (full_at_ < now) full_at_ = now;
    if (full_at_ - now > tolerance_) {
      ++refused_;
      return false;
    }
    full_at_ += interval_;
    return true;
  }

  // When the next token will be there; not after `now` if there is one.
  constexpr MonotonicTime next(MonotonicTime now) const noexcept {
    const MonotonicTime at = full_at_ - tolerance_;
    return at < now ? now : at;
  }

  // How many were refused since the last call: the number for "… and 1,204 similar lines".
  constexpr std::uint64_t take_refused() noexcept { return std::exchange(refused_, 0); }

 private:
  Duration interval_;
  Duration tolerance_;  // how far full_at_ may lie ahead: the burst but the token being taken
  MonotonicTime full_at_{};  // the epoch of the monotonic clock: full
  std::uint64_t refused_ = 0;
};

}  // namespace tenon::event
