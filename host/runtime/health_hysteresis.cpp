#include "runtime/health_hysteresis.hpp"

#include <algorithm>

namespace tenon::runtime {

std::string_view to_string(HealthOutcome outcome) noexcept {
  switch (outcome) {
    case HealthOutcome::healthy: return "healthy";
    case HealthOutcome::degraded: return "degraded";
    case HealthOutcome::unhealthy: return "unhealthy";
    case HealthOutcome::timeout: return "timeout";
    case HealthOutcome::error: return "error";
    case HealthOutcome::not_made: return "not_made";
  }
  return "unknown";
}

HealthTally count_outcome(HealthTally tally, HealthOutcome outcome, const HealthThresholds& thresholds,
                          bool in_start_period) noexcept {
  if (outcome == HealthOutcome::not_made) return tally;
  if (is_failure(outcome)) {
    if (in_start_period) return tally;
    tally.successes = 0;
    if (tally.failures < UINT32_MAX) ++tally.failures;
    if (tally.failures >= std::max(thresholds.unhealthy_after, 1u)) {
      tally.known = true;
      tally.state = HealthState::unhealthy;
    }
    return tally;
  }
  tally.failures = 0;
  if (tally.successes < UINT32_MAX) ++tally.successes;
  const bool sick = tally.known && tally.state == HealthState::unhealthy;
  if (sick && tally.successes < std::max(thresholds.healthy_after, 1u)) return tally;
  tally.known = true;
  tally.state = outcome == HealthOutcome::degraded ? HealthState::degraded : HealthState::healthy;
  return tally;
}

}  // namespace tenon::runtime
