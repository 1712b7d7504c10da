// The exponential back-off that stands in for a restart policy which failed, is missing or answered nonsense, and that
// spaces attempts to spawn when the machine is short of something.
#pragma once

#include "common/clock.hpp"
#include "runtime/restart_policy.hpp"

namespace tenon::runtime {

struct BackoffConfig {
  Duration initial = std::chrono::milliseconds(50);  // before the second restart; the first is immediate
  double factor = 2.0;                               // >= 1
  Duration max = std::chrono::seconds(30);
  double jitter = 0.1;                               // 0 … 1: drawn from [(1 − jitter)·d, d]
  Duration reset_after = std::chrono::seconds(60);
};

// The wait before restart number `consecutive` (0 is the first, immediate). Pure; `random` is 64 uniform bits.
Duration backoff_delay(const BackoffConfig& config, std::uint32_t consecutive, std::uint64_t random) noexcept;

// Restarts after every exit, as `always` does.
RestartDecision decide_by_backoff(const BackoffConfig& config, const ExitInfo& exit);

}  // namespace tenon::runtime
