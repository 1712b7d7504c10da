// The page on which an engine stamps that its loop is alive, and which the keeper reads without waking it.
//
// The engine stamps the entry of each turn of its loop and clears the stamp on leaving it: a stamp that stands for
// longer than the hang timeout is a turn that does not end. An engine that waits for events has no stamp and is
// never late, and one that waits for long lets the keeper sleep, too: the keeper says that it looks no more, and is told
// when the next turn begins (Awake).
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
  std::atomic<std::uint32_t> unwatched;       // 1: the keeper does not look until it is told

  // [loop] of the engine. True: the keeper is to be told; asked again by keep_unwatched() if that failed.
  // Each side writes its own word and then reads the other's, so that at least one of them sees both.
  bool enter_turn(MonotonicTime now) noexcept {
    turn_entered_ns.store(now.time_since_epoch().count(), std::memory_order_seq_cst);
    return unwatched.load(std::memory_order_seq_cst) != 0 && unwatched.exchange(0) != 0;
  }
  void keep_unwatched() noexcept { unwatched.store(1, std::memory_order_seq_cst); }
  // Of the keeper. False: a turn has begun, so it has to go on looking.
  bool stop_watching() noexcept {
    unwatched.store(1, std::memory_order_seq_cst);
    if (turn_entered_ns.load(std::memory_order_seq_cst) == 0) return true;
    unwatched.store(0, std::memory_order_seq_cst);
    return false;
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
