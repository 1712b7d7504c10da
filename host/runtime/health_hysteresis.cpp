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

namespace {

bool reached(std::uint32_t row, std::uint32_t threshold) noexcept { return row >= std::max(threshold, 1u); }

// Whether the row that the answer belongs to is long enough to make the state what the answer says.
bool is_convincing(const HealthTally& tally, HealthOutcome outcome, const HealthThresholds& thresholds) noexcept {
  if (is_failure(outcome)) return reached(tally.failures, thresholds.unhealthy_after);
  if (!tally.known) return !thresholds.unknown_is_ill || reached(tally.successes, thresholds.healthy_after);
  switch (tally.state) {
    case HealthState::healthy: return reached(tally.not_healthy, thresholds.degraded_after);
    case HealthState::degraded: return reached(tally.healthy, thresholds.healthy_after);
    case HealthState::unhealthy: return reached(tally.successes, thresholds.healthy_after);
  }
  return false;
}

}  // namespace

HealthTally count_outcome(HealthTally tally, HealthOutcome outcome, const HealthThresholds& thresholds,
                          bool in_start_period) noexcept {
  if (outcome == HealthOutcome::not_made || (is_failure(outcome) && in_start_period)) return tally;
  const auto count = [](std::uint32_t& row, bool goes_on) { row = goes_on ? row + (row < UINT32_MAX ? 1 : 0) : 0; };
  count(tally.failures, is_failure(outcome));
  count(tally.successes, !is_failure(outcome));
  count(tally.healthy, outcome == HealthOutcome::healthy);
  count(tally.not_healthy, outcome != HealthOutcome::healthy);
  if (!is_convincing(tally, outcome, thresholds)) return tally;
  tally.known = true;
  tally.state = state_said_by(outcome);
  return tally;
}

}  // namespace tenon::runtime
