// Time as a parameter. Code that decides by time takes a Clock, or the time itself, so that tests never sleep.
#pragma once

#include <chrono>

namespace tenon {

using Duration = std::chrono::nanoseconds;
// CLOCK_MONOTONIC: comparable between keeper and engine of one boot, untouched by changes of the wall clock.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// CLOCK_REALTIME, UTC: for people and for CloudEvents' `time`, never for deadlines.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime monotonic() const noexcept = 0;  // [any]
  virtual WallTime wall() const noexcept = 0;            // [any]
};

class SystemClock final : public Clock {
 public:
  MonotonicTime monotonic() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall() const noexcept override { return std::chrono::system_clock::now(); }
};

// A clock that moves only when told to. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(MonotonicTime start = MonotonicTime{std::chrono::hours(1)},
                       WallTime wall_start = WallTime{std::chrono::seconds(1'700'000'000)})
      : now_(start), wall_(wall_start) {}
  MonotonicTime monotonic() const noexcept override { return now_; }
  WallTime wall() const noexcept override { return wall_; }
  void advance(Duration by) noexcept { now_ += by, wall_ += by; }
  void jump_wall(Duration by) noexcept { wall_ += by; }  // an administrator or NTP moved the wall clock

 private:
  MonotonicTime now_;
  WallTime wall_;
};

}  // namespace tenon
