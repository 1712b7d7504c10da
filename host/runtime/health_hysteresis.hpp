// From single answers to a state: how many failures in a row make a process unhealthy, how many successes heal it.
//
// The model. The state starts unknown. A success counts up `successes` and zeroes `failures`, a failure or a timeout
// the other way round; degraded counts as a success of its own kind: the process lives, and the state says degraded.
// unhealthy comes after `unhealthy_after` failures in a row and goes after `healthy_after` successes in a row. From
// unknown and from healthy the first success counts at once; degraded and healthy follow each other at once. During
// the start period failures change nothing; the first success ends it. A check that the host could not make says
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

struct HealthTally {
  bool known = false;  // false: no state yet
  HealthState state = HealthState::healthy;
  std::uint32_t failures = 0;
  std::uint32_t successes = 0;
  bool operator==(const HealthTally&) const = default;
};

struct HealthThresholds {
  std::uint32_t unhealthy_after = 3;  // 0 counts as 1
  std::uint32_t healthy_after = 1;
};

HealthTally count_outcome(HealthTally tally, HealthOutcome outcome, const HealthThresholds& thresholds,
                          bool in_start_period) noexcept;

}  // namespace tenon::runtime
