// The page on which an engine stamps that its loop is alive, and which the keeper reads without waking it.
//
// The engine stamps the entry of each turn of its loop and clears the stamp on leaving it: a stamp that stands for
// longer than the hang timeout is a turn that does not end. An engine that waits for events has no stamp and is
// never late.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/clock.hpp"

namespace tenon::keeper {

inline constexpr Duration kDefaultHangTimeout = std::chrono::seconds(10);

struct VitalsPage {
  std::atomic<std::int64_t> turn_entered_ns;  // CLOCK_MONOTONIC; 0: between two turns
  std::atomic<std::int64_t> turn_left_ns;     // of the turn before; 0: there was none. For reports only
  std::atomic<std::int64_t> hang_timeout_ns;  // set by the engine; 0: the keeper's default
  std::atomic<std::uint64_t> turns;           // finished so far

  // [loop] of the engine.
  void enter_turn(MonotonicTime now) noexcept {
    turn_entered_ns.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void leave_turn(MonotonicTime now) noexcept {
    turn_left_ns.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    turns.store(turns.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    turn_entered_ns.store(0, std::memory_order_release);
  }
  void set_hang_timeout(Duration timeout) noexcept {
    hang_timeout_ns.store(timeout.count(), std::memory_order_relaxed);
  }
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "the page is shared between processes");

}  // namespace tenon::keeper
