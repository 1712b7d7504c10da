// How many restarts were there lately? OTP's intensity and period as a sliding window. Pure: the time is an argument.
//
// Memory is that of the restarts within the period and never more than limit + 1 entries.
#pragma once

#include <cstddef>
#include <vector>

#include "common/clock.hpp"
#include "runtime/supervisor_config.hpp"

namespace tenon::runtime {

class RestartWindow {
 public:
  // Counts a restart at `now`. Returns false if it is one too many: more than `restarts` within `period` (an event
  // exactly `period` old does not count any more).
  [[nodiscard]] bool admit(const Intensity& intensity, MonotonicTime now);
  std::size_t count(const Intensity& intensity, MonotonicTime now) const noexcept;  // within the period
  void clear() noexcept { times_.clear(); }
  const std::vector<MonotonicTime>& times() const noexcept { return times_; }  // oldest first
  void restore(std::vector<MonotonicTime> times);  // from a label; any order
  bool operator==(const RestartWindow&) const = default;

 private:
  std::vector<MonotonicTime> times_;
};

}  // namespace tenon::runtime
