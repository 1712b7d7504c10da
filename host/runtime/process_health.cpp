// The health checks of one process: making and starting them, and what follows from their answers.
#include <algorithm>

#include "runtime/process_record.hpp"

namespace tenon::runtime {

std::vector<ProcessManager::Check> ProcessManager::checks(std::string_view id) const {
  std::vector<Check> checks;
  const Process* const process = get(id);
  if (!process) return checks;
  const std::vector<HealthConfig>& configs = process->config().health;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const bool started = i < process->monitors.size();
    checks.push_back({configs[i], started ? process->monitors[i].get() : nullptr,
                      started ? std::string_view(process->check_problems[i]) : std::string_view()});
  }
  return checks;
}

// Starts those that do not run. `as_of` is the moment up to which the start period has passed.
void ProcessManager::start_monitors(Process& process, MonotonicTime as_of) {
  const auto& checks = process.config().health;
  process.monitors.resize(checks.size());
  process.check_problems.resize(checks.size());
  bool complete = true;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (process.monitors[i] && process.monitors[i]->running()) continue;
    const Status started = start_monitor(process, i, as_of);
    std::string problem = started ? std::string() : started.error().message;
    // Told once, however often it is tried again.
    if (!started && problem != process.check_problems[i]) {
      services_.observer.on_policy_misbehaved(process.handle, "health_check/" + checks[i].check, started.error());
    }
    complete = complete && started.ok();
    process.check_problems[i] = std::move(problem);
  }
  process.check_retry.reset();
  if (!complete) process.check_retry = services_.loop.after(kCheckRetry, [this, &process] { retry_monitors(process); });
}

Status ProcessManager::start_monitor(Process& process, std::size_t index, MonotonicTime as_of) {
  const HealthConfig& config = process.config().health[index];
  const ProcessHandle& handle = process.handle;
  std::unique_ptr<HealthMonitor>& monitor = process.monitors[index];
  if (!monitor) {
    auto check = services_.checks.make(handle.id(), config.check, config.config);
    if (!check) return std::move(check).error();
    // Shares the process's config, which a reload may replace while the monitor lives.
    const std::shared_ptr<const HealthConfig> shared(handle.config, &config);
    monitor = std::make_unique<HealthMonitor>(services_.loop, shared, std::move(check).value(), process,
                                              random_.next());
  }
  const HealthTarget target{handle.id(), handle.generation, handle.pid.value_or(0), handle.spawned,
                            config.interval};
  TENON_TRY(monitor->start(target, config.start_period - (as_of - handle.spawned)));
  if (handle.paused()) monitor->suspend();
  return {};
}

void ProcessManager::retry_monitors(Process& process) {
  const Scope scope(*this);
  const bool was_missing = !missing_check(process).empty();
  start_monitors(process, now());
  const bool waits = process.handle.phase == ProcessPhase::starting && process.config().ready.on == ReadyOn::health;
  if (waits && was_missing && missing_check(process).empty()) await_ready(process, process.config().ready.timeout);
}

void ProcessManager::stop_monitors(Process& process) noexcept {
  process.check_retry.reset();
  for (const auto& monitor : process.monitors) {
    if (monitor) monitor->stop();
  }
}

std::string ProcessManager::missing_check(const Process& process) const {
  for (std::size_t i = 0; i < process.check_problems.size(); ++i) {
    if (process.check_problems[i].empty()) continue;
    return "the check \"" + process.config().health[i].check + "\" cannot be made: " + process.check_problems[i];
  }
  return {};
}

bool ProcessManager::waits_for_checks(const Process& process) const {
  return std::any_of(process.monitors.begin(), process.monitors.end(), [](const auto& monitor) {
    return monitor && !monitor->status() && !monitor->results().empty() &&
           monitor->results().back().outcome == HealthOutcome::not_made;
  });
}

void ProcessManager::health_answered(Process& process, HealthMonitor& monitor, bool changed) {
  const Scope scope(*this);
  ProcessHandle& handle = process.handle;
  handle.health.reset();
  bool all_well = true;
  for (const auto& each : process.monitors) {
    const auto status = each ? each->status() : std::nullopt;
    all_well = all_well && status && status->state != HealthState::unhealthy;
    if (status && (!handle.health || status->state > handle.health->state)) handle.health = status;
  }
  if (changed) services_.observer.on_health_changed(handle, {monitor.config().check, *monitor.status()});
  if (all_well && handle.phase == ProcessPhase::starting && process.config().ready.on == ReadyOn::health) {
    became_ready(process);
  }
  const auto status = monitor.status();
  const bool act = changed && status && status->state == HealthState::unhealthy &&
                   monitor.config().on_unhealthy == OnUnhealthy::restart;
  if (!act || (handle.phase != ProcessPhase::starting && handle.phase != ProcessPhase::running)) return;
  process.stop_cause = EndCause::health;
  stop(process, AfterStop::decide, monitor.config().check + ": " + status->reason, false);
}

}  // namespace tenon::runtime
