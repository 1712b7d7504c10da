// What the checks of a process's use of the machine share: reading it, and the two thresholds.
#pragma once

#include <tenon/sdk/host.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tenon::health {

// What the process and those it started use now. None: the check has been completed without it, as unhealthy because
// the process does not run, or as degraded because `needed` cannot be read, for which the process is not to blame.
inline std::optional<tenon_usage> usage_or_answer(const sdk::Host& host, std::uint64_t token, const std::string& id,
                                                  std::uint64_t tenon_usage::*needed) {
  tenon_usage usage;
  TENON_INIT(&usage);
  const tenon_host* raw = host.raw();
  const tenon_status status = raw->process_usage(raw->context, sdk::to_abi(id), &usage);
  if (status == TENON_OK && usage.*needed != UINT64_MAX) return usage;
  if (status == TENON_ERR_NOT_FOUND) {
    host.complete_check(token, TENON_UNHEALTHY, "process " + id + " does not run");
  } else {
    host.complete_check(token, TENON_DEGRADED, "process " + id + " runs, but what it uses cannot be read from /proc");
  }
  return std::nullopt;
}

// From the config's degraded_above and unhealthy_above; one of them may be missing.
template <class Value>
struct Thresholds {
  std::optional<Value> degraded, unhealthy;

  std::uint32_t health_of(Value value) const noexcept {
    if (unhealthy && value > *unhealthy) return TENON_UNHEALTHY;
    return degraded && value > *degraded ? TENON_DEGRADED : TENON_HEALTHY;
  }
  // Throws sdk::Error for what says nothing or contradicts itself.
  void check() const {
    const char* wrong = nullptr;
    if (!degraded && !unhealthy) wrong = "give degraded_above, unhealthy_above or both";
    if (degraded && unhealthy && *degraded >= *unhealthy)
      wrong = "set degraded_above below unhealthy_above, or leave it out";
    if (wrong != nullptr) throw sdk::Error(TENON_ERR_INVALID_ARGUMENT, wrong, TENON_FAULT_CALLER);
  }
};

inline const char* threshold_name(std::uint32_t health) noexcept {
  return health == TENON_UNHEALTHY ? "unhealthy_above" : "degraded_above";
}

}  // namespace tenon::health
