// Whether the loop looks at its descriptors again instead of going to sleep: busy polling, as network drivers do it
// (Linux: net/socket busy_poll), for the while in which events follow each other closely.
//
// To wake a thread that sleeps on another processor costs tens of microseconds, several times what an event costs here.
// So a loop whose last waits were all shorter than kWindow stays awake for that long after each turn, and yields its
// processor at every look. Anything slower than that lets it sleep as ever: a loop that is idle, or that has a second's
// worth of heartbeats to take, never polls. A wait that was longer costs kWindow once and halves the trust in the next.
//
// [loop] A value, without a clock of its own.
#pragma once

#include <algorithm>
#include <chrono>

#include "common/clock.hpp"

namespace tenon::event {

class BusyPoll {
 public:
  static constexpr Duration kWindow = std::chrono::microseconds(50);

  // With one processor to run on there is nobody to wait for awake: what would wake us needs it.
  explicit BusyPoll(unsigned processors) noexcept : useful_(processors > 1) {}

  // Descriptors became ready: a wait is over.
  void woke(MonotonicTime now) noexcept {
    score_ = now - rested_ < kWindow ? std::min(score_ + 1, kMost) : score_ / 2;
  }
  // A turn that they gave work to has ended: a wait begins.
  void rests(MonotonicTime now) noexcept { rested_ = now; }
  bool looks_again(MonotonicTime now) const noexcept {
    return useful_ && score_ >= kBrisk && now - rested_ < kWindow;
  }

 private:
  static constexpr unsigned kBrisk = 8, kMost = 16;  // short waits in a row

  const bool useful_;
  unsigned score_ = 0;
  MonotonicTime rested_{};
};

}  // namespace tenon::event
