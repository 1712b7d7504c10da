// The two decisions about an engine, as pure functions of what is known: when to start the next one, and whether
// this one hangs.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "common/clock.hpp"

namespace tenon::keeper {

// The first engine after a stable one (kStable) starts at once; then 100 ms, doubling, up to 10 s.
class EngineBackoff {
 public:
  static constexpr Duration kFirst = std::chrono::milliseconds(100);
  static constexpr Duration kLongest = std::chrono::seconds(10);
  static constexpr Duration kStable = std::chrono::seconds(60);

  // How long to wait after the end of an engine that ran from `started` to `ended`.
  Duration on_end(MonotonicTime started, MonotonicTime ended);
  std::uint64_t restarts() const { return restarts_; }
  // Ends within the last minute, this one included.
  std::uint64_t recent(MonotonicTime now) const;

 private:
  Duration next_{0};
  std::uint64_t restarts_ = 0;
  std::deque<MonotonicTime> ends_;  // of the last minute, at most kMaxRemembered
};

// What the keeper sees of an engine, without waking it. Times are those at which the condition began; empty: it is not.
struct EngineSigns {
  std::optional<MonotonicTime> awaiting_greeting;  // started, and has not acknowledged the Hello
  std::optional<MonotonicTime> in_turn;            // a turn of its loop was entered and not left
  std::optional<MonotonicTime> stopped;            // by SIGSTOP or a terminal
  std::optional<MonotonicTime> not_reading;        // the link is full
  std::optional<MonotonicTime> closed_link;        // it can neither ask nor be told; it should be exiting

  bool any() const { return awaiting_greeting || in_turn || stopped || not_reading || closed_link; }
};

struct HangLimits {
  Duration turn = std::chrono::seconds(10);      // also for stopped and not_reading
  Duration greeting = std::chrono::seconds(10);
  Duration leaving = std::chrono::seconds(1);    // after closing the link
};

struct HangVerdict {
  std::string reason;      // empty: it does not hang; else a clause: "a turn of its loop took longer than 10000 ms"
  MonotonicTime look_again;  // when to ask next
  bool hangs() const { return !reason.empty(); }
};

// `awake_since`: no condition counts from before it. The keeper sets it when it finds that it was itself not
// running for a while (frozen cgroup, stopped container): the engine was not either, and has done nothing wrong.
HangVerdict judge(const EngineSigns& signs, const HangLimits& limits, MonotonicTime awake_since, MonotonicTime now);

}  // namespace tenon::keeper
