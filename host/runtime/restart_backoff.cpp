#include "runtime/restart_backoff.hpp"

#include <algorithm>
#include <cmath>

namespace tenon::runtime {

Duration backoff_delay(const BackoffConfig& config, std::uint32_t consecutive, std::uint64_t random) noexcept {
  if (consecutive == 0) return Duration::zero();
  // In doubles: pow saturates to infinity instead of overflowing, and min brings it back.
  const double grown = static_cast<double>(config.initial.count()) * std::pow(config.factor, consecutive - 1.0);
  const double capped = std::min(grown, static_cast<double>(config.max.count()));
  const double fraction = static_cast<double>(random >> 11) * 0x1.0p-53;  // [0, 1)
  const double jitter = std::clamp(config.jitter, 0.0, 1.0);
  return Duration(static_cast<Duration::rep>(capped * (1.0 - jitter * fraction)));
}

RestartDecision decide_by_backoff(const BackoffConfig& config, const ExitInfo& exit) {
  RestartDecision decision;
  decision.memory = exit.memory;
  decision.reset = exit.run_time >= config.reset_after;
  decision.delay = backoff_delay(config, decision.reset ? 0 : exit.consecutive, exit.random);
  return decision;
}

}  // namespace tenon::runtime
