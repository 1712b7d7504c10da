// The waits between restarts: exponential, capped, jittered, forgotten after a stable run. Shared by our restart
// policies.
//
// The model. Restarts since the last stable run are numbered from 1. Restart 1 is immediate, restart 2 waits `initial`,
// each further one `factor` times longer, up to `max`. Jitter j draws uniformly from [(1−j)·d, d], so that a crowd that
// died together does not come back together. A run is stable when the process had become ready and ran for
// `reset_after`; one that never became ready proves nothing, however long it hung. Pure functions; every argument is
// allowed.
#pragma once

#include <tenon/sdk/restart_policy.hpp>

#include <cmath>
#include <cstdint>

namespace tenon::restart {

struct Curve {
  std::uint64_t initial_ns = 100'000'000;
  double factor = 2;  // at least 1
  std::uint64_t max_ns = 30'000'000'000;
  double jitter = 0.1;  // 0 … 1
  std::uint64_t reset_after_ns = 60'000'000'000;
};

// Members of a JSON Schema's "properties" for what read_curve reads.
#define TENON_RESTART_CURVE_PROPERTIES                                                                                 \
  TENON_JSON("initial" : {                                                                                             \
    "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$", "default" : "100ms",                  \
    "description" : "Wait before the second restart since the last stable run; the first is immediate."                \
  }, "factor" : {                                                                                                      \
    "type" : "number", "minimum" : 1, "default" : 2,                                                                   \
    "description" : "Each further wait is this many times longer."                                                     \
  }, "max" : {                                                                                                         \
    "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$", "default" : "30s",                    \
    "description" : "The longest wait; 0 restarts immediately every time."                                             \
  }, "jitter" : {                                                                                                      \
    "type" : "number", "minimum" : 0, "maximum" : 1, "default" : 0.1,                                                  \
    "description" : "Each wait d is drawn from (1 - jitter) * d to d; 1 is full jitter."                               \
  }, "reset_after" : {                                                                                                 \
    "type" : "string", "pattern" : "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$", "default" : "60s",                    \
    "description" : "A run at least this long is stable: the next restart counts as the first again."                  \
  })

// The curve of an instance's config. Throws sdk::Error for what the schema should have refused.
inline Curve read_curve(const sdk::Host& host) {
  Curve curve;
  curve.initial_ns = host.config_duration_ns("/initial", curve.initial_ns);
  curve.factor = host.config_number("/factor", curve.factor);
  curve.max_ns = host.config_duration_ns("/max", curve.max_ns);
  curve.jitter = host.config_number("/jitter", curve.jitter);
  curve.reset_after_ns = host.config_duration_ns("/reset_after", curve.reset_after_ns);
  if (!(curve.factor >= 1)) throw sdk::Error(TENON_ERR_INVALID_ARGUMENT, "set factor to 1 or more", TENON_FAULT_CALLER);
  if (!(curve.jitter >= 0 && curve.jitter <= 1))
    throw sdk::Error(TENON_ERR_INVALID_ARGUMENT, "set jitter to a number from 0 to 1", TENON_FAULT_CALLER);
  return curve;
}

// The wait before restart `number` (from 1), without jitter: never falls as the number grows.
inline std::uint64_t wait_before(const Curve& curve, std::uint64_t number) noexcept {
  if (number <= 1 || curve.initial_ns == 0) return 0;  // also: 0 times an infinite power is no number
  const double wait = static_cast<double>(curve.initial_ns) * std::pow(curve.factor, static_cast<double>(number - 2));
  // Compared as doubles first: an infinite or huge wait must not reach the conversion to an integer.
  return wait < static_cast<double>(curve.max_ns) ? static_cast<std::uint64_t>(wait) : curve.max_ns;
}

// A draw from [(1−jitter)·wait, wait] by 64 uniform bits.
inline std::uint64_t jittered(std::uint64_t wait, double jitter, std::uint64_t random) noexcept {
  const double uniform = static_cast<double>(random >> 11) * 0x1p-53;  // [0, 1)
  const double less = jitter * uniform * static_cast<double>(wait);
  // A wait near 2^64 rounds up as a double; `less` must not pass it.
  return less < static_cast<double>(wait) ? wait - static_cast<std::uint64_t>(less) : 0;
}

struct Next {
  std::uint64_t number;    // of this restart since the last stable run, from 1
  std::uint64_t delay_ns;  // jittered
  bool stable;             // the run that ended: forget the history
};

inline Next next_restart(const Curve& curve, const tenon_exit& exit) noexcept {
  const bool stable = exit.was_ready != 0 && exit.run_time_ns >= curve.reset_after_ns;
  const std::uint64_t number = stable ? 1 : std::uint64_t{exit.consecutive} + 1;
  return {number, jittered(wait_before(curve, number), curve.jitter, exit.random), stable};
}

}  // namespace tenon::restart
