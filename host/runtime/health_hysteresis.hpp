// From single answers to a state: how many failures in a row make a process unhealthy, how many successes heal it.
//
// The model. The state starts unknown. An answer is healthy, degraded, or a failure, as a timeout is; the first two are
// successes, for the process lives. What changes the state is a row of answers, and it becomes what the last of them
// said:
//
//   unknown    any success, at once            -> healthy or degraded; but of a readiness check `healthy_after`: what is
//                                                 not known is not ready, and must not be sooner than what was not
//   any        `unhealthy_after` failures      -> unhealthy
//   healthy    `degraded_after` not healthy    -> degraded; failures count in this row, but do not end it
//   degraded   `healthy_after` healthy         -> healthy
//   unhealthy  `healthy_after` successes       -> healthy or degraded
//
// During the start period failures change nothing; the first success ends it. A check that the host could not make says
// nothing about the process and changes nothing at all.
#pragma once

#include <cstdint>

#include "runtime/health_check.hpp"

namespace tenon::runtime {

enum class HealthOutcome : std::uint8_t { healthy, degraded, unhealthy, timeout, error, not_made };
std::string_view to_string(HealthOutcome outcome) noexcept;
constexpr bool is_failure(HealthOutcome outcome) noexcept {
  return outcome == HealthOutcome::unhealthy || outcome == HealthOutcome::timeout || outcome == HealthOutcome::error;
}
// What an answer alone says. Not of `not_made`, which says nothing.
constexpr HealthState state_said_by(HealthOutcome outcome) noexcept {
  if (is_failure(outcome)) return HealthState::unhealthy;
  return outcome == HealthOutcome::degraded ? HealthState::degraded : HealthState::healthy;
}

struct HealthTally {
  bool known = false;  // false: no state yet
  HealthState state = HealthState::healthy;
  // Of answers in a row, the newest included.
  std::uint32_t failures = 0;
  std::uint32_t successes = 0;
  std::uint32_t healthy = 0;
  std::uint32_t not_healthy = 0;
  bool operator==(const HealthTally&) const = default;
};

struct HealthThresholds {
  // 0 counts as 1.
  std::uint32_t unhealthy_after = 3;
  std::uint32_t healthy_after = 1;
  std::uint32_t degraded_after = 1;
  bool unknown_is_ill = false;  // a readiness check's
};

HealthTally count_outcome(HealthTally tally, HealthOutcome outcome, const HealthThresholds& thresholds,
                          bool in_start_period) noexcept;

}  // namespace tenon::runtime
