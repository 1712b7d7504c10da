// The circuit breaker of restart_policy/cooldown: when a crash loop is given a rest, and for how long.
//
//   closed --`failures` failed runs in a row--> open --the wait is over: one trial run--> half-open
//      ^                                         ^                                         |    |
//      |                                         +------------- the trial fails -----------+    |
//      +-------------- the trial is a stable run, or ends on purpose ---------------------------+
//
// The model. A run fails when anything but a success ends it. Failed runs are in a row until one ends on purpose; one
// that was stable before it failed begins a new row. Open is no state that is seen here: the host waits then, and the
// next that is heard of is the end of the trial. So two counts say everything, and they are kept in the host's four
// memory words: [0] a mark, [1] failed runs in a row, [2] cool-downs in a row (0: closed), [3] nothing. Words without
// the mark are somebody else's, or new: closed, nothing failed. Any counts at all are a legal state, for `failures` may
// have changed between two calls.
//
// Pure functions; every argument is allowed.
#pragma once

#include <cstdint>

#include "../common/backoff.hpp"

namespace tenon::restart {

constexpr std::uint64_t kLongestWait = 86'400'000'000'000;  // the host caps every wait at one day

struct Breaker {
  std::uint64_t failures = 5;                    // at least 1
  std::uint64_t cooldown_ns = 300'000'000'000;   // of the first cool-down in a row
  double factor = 1;                             // at least 1
  std::uint64_t max_ns = kLongestWait;           // at least cooldown_ns
  double jitter = 0.1;                           // 0 … 1
};

struct BreakerState {
  std::uint64_t failed_runs = 0;  // in a row
  std::uint64_t cooldowns = 0;    // in a row; 0: closed, else the run after the last of them is a trial
  bool half_open() const noexcept { return cooldowns != 0; }
  bool operator==(const BreakerState&) const = default;
};

constexpr std::uint64_t kBreakerMark = 0x636F6F6C646F776E;  // "cooldown"

inline BreakerState read_state(const std::uint64_t (&memory)[4]) noexcept {
  if (memory[0] != kBreakerMark) return {};
  return {memory[1], memory[2]};
}

inline void write_state(const BreakerState& state, std::uint64_t (&memory)[4]) noexcept {
  memory[0] = kBreakerMark;
  memory[1] = state.failed_runs;
  memory[2] = state.cooldowns;
  memory[3] = 0;
}

// Counts one more run that failed. `stable`: it was a stable run before that, which alone never opens the breaker, so
// that the first restart after it is immediate.
inline BreakerState after_failure(const Breaker& breaker, const BreakerState& before, bool stable) noexcept {
  const auto one_more = [](std::uint64_t count) { return count == UINT64_MAX ? count : count + 1; };
  if (stable) return {1, 0};
  BreakerState after{one_more(before.failed_runs), 0};
  if (before.half_open() || after.failed_runs >= breaker.failures) after.cooldowns = one_more(before.cooldowns);
  return after;
}

// The wait of the cool-down `number` in a row (from 1), without jitter: never falls as the number grows.
inline std::uint64_t cooldown_length(const Breaker& breaker, std::uint64_t number) noexcept {
  Curve curve;
  curve.initial_ns = breaker.cooldown_ns;
  curve.factor = breaker.factor;
  curve.max_ns = breaker.max_ns;
  return wait_before(curve, number == UINT64_MAX ? number : number + 1);
}

// Jitter makes a cool-down longer, never shorter, by up to `jitter` of it; a day is the limit all the same.
inline std::uint64_t cooldown_wait(const Breaker& breaker, std::uint64_t number, std::uint64_t random) noexcept {
  const std::uint64_t length = cooldown_length(breaker, number);
  const std::uint64_t more = length - jittered(length, breaker.jitter, random);
  return length >= kLongestWait || more > kLongestWait - length ? kLongestWait : length + more;
}

}  // namespace tenon::restart
