// Health checks as the runtime sees them: the C table of the plugin ABI in C++ types.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "common/clock.hpp"
#include "common/result.hpp"
#include "runtime/process_config.hpp"

namespace tenon::runtime {

enum class HealthState : std::uint8_t { healthy = 0, degraded = 1, unhealthy = 2 };
std::string_view to_string(HealthState state) noexcept;

struct HealthStatus {
  HealthState state = HealthState::healthy;
  std::string reason;  // empty when healthy
  bool operator==(const HealthStatus&) const = default;
};

struct HealthAnswer {
  HealthStatus status;
  Duration latency{0};  // measured by the check; 0: the monitor measures it
};

struct HealthTarget {
  ProcessId id;
  std::uint64_t generation = 0;
  pid_t pid = 0;
  MonotonicTime started{};
  Duration interval{0};  // how often the check is asked; 0: not known
};

// One instance looks at one process. [loop]
class HealthCheck {
 public:
  using Completion = std::function<void(Result<HealthAnswer>)>;

  virtual ~HealthCheck() = default;  // cancels what is under way
  virtual Status start(const HealthTarget& target) = 0;  // a new incarnation runs
  // Looks once; at most one check is under way. `done` at most once, also from within this call; an error is a failure
  // of the check to look, and counts like unhealthy, unless it is the host's own want of something (errc::exhausted,
  // fault::host): then nothing was looked at, and nothing counts. An answer after cancel() or the deadline is dropped.
  virtual void check(MonotonicTime deadline, Completion done) = 0;
  // While a check is under way: true if it has not begun to look, because it waits for something of the host.
  virtual bool waits_for_host() const noexcept { return false; }
  virtual void cancel() noexcept = 0;  // the answer is not wanted any more: free what it holds
  virtual void stop() noexcept = 0;    // the incarnation is over
};

class HealthCheckFactory {
 public:
  virtual ~HealthCheckFactory() = default;
  // `process` as in HealthTarget::id. errc::not_found if no plugin offers the check.
  virtual Result<std::unique_ptr<HealthCheck>> make(const ProcessId& process, const std::string& check,
                                                    const std::string& config_json) = 0;
};

}  // namespace tenon::runtime
