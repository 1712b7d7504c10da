// The health checks of one process: making and starting them, and what follows from their answers.
#include <algorithm>

#include "runtime/process_record.hpp"

namespace tenon::runtime {
namespace {

bool is_startup(const HealthConfig& check) noexcept { return check.role == HealthRole::startup; }
bool is_readiness(const HealthConfig& check) noexcept { return check.role == HealthRole::readiness; }
bool is_success(const std::optional<HealthStatus>& status) noexcept {
  return status && status->state != HealthState::unhealthy;
}

}  // namespace

std::vector<ProcessManager::Check> ProcessManager::checks(std::string_view id) const {
  std::vector<Check> checks;
  const Process* const process = get(id);
  if (!process) return checks;
  const std::vector<HealthConfig>& configs = process->config().health;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const bool started = i < process->monitors.size();
    const bool waits = process->handle.pid && !is_startup(configs[i]) && !process->started_up;
    checks.push_back({configs[i], started ? process->monitors[i].get() : nullptr,
                      started ? std::string_view(process->check_problems[i]) : std::string_view(), waits});
  }
  return checks;
}

void ProcessManager::begin_health(Process& process) {
  process.started_up = false;
  for (const auto& monitor : process.monitors) {
    if (monitor) monitor->forget();
  }
  const auto& checks = process.config().health;
  const auto first = std::find_if(checks.begin(), checks.end(), is_readiness);
  set_not_ready(process, first == checks.end() ? std::string() : "not ready: " + first->check + ": no answer yet");
}

bool ProcessManager::has_readiness(const Process& process) const noexcept {
  return std::any_of(process.config().health.begin(), process.config().health.end(), is_readiness);
}

// To be asked now. A startup check that has succeeded is not.
bool ProcessManager::is_wanted(const Process& process, std::size_t index) const noexcept {
  if (!is_startup(process.config().health[index])) return process.started_up;
  const HealthMonitor* const monitor = index < process.monitors.size() ? process.monitors[index].get() : nullptr;
  return !process.started_up && !(monitor && !monitor->running() && is_success(monitor->status()));
}

// Starts those that are to be asked now and do not run. `as_of` is the moment up to which the start period has passed.
void ProcessManager::start_monitors(Process& process, MonotonicTime as_of) {
  const auto& checks = process.config().health;
  process.monitors.resize(checks.size());
  process.check_problems.resize(checks.size());
  if (!process.started_up && std::none_of(checks.begin(), checks.end(), is_startup)) {
    process.started_up = true;
    touch(process);
  }
  bool complete = true;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (!is_wanted(process, i) || (process.monitors[i] && process.monitors[i]->running())) continue;
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
    if (process.check_problems[i].empty() || !is_wanted(process, i)) continue;
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

// All have been well once, as far as they are to be asked in this incarnation.
bool ProcessManager::is_well(const Process& process) const {
  const auto& checks = process.config().health;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (is_startup(checks[i]) && process.started_up) continue;
    const HealthMonitor* const monitor = i < process.monitors.size() ? process.monitors[i].get() : nullptr;
    if (!monitor || !is_success(monitor->status())) return false;
  }
  return true;
}

// True if the answer was the first success of the last startup check that was asked.
bool ProcessManager::passed_startup(Process& process, HealthMonitor& monitor) {
  if (!is_startup(monitor.config()) || !is_success(monitor.status())) return false;
  monitor.stop();
  for (std::size_t i = 0; i < process.monitors.size(); ++i) {
    if (is_startup(process.config().health[i]) && is_wanted(process, i)) return false;
  }
  process.started_up = true;
  touch(process);
  return true;
}

// The worst of those that are asked now, or the last that were.
void ProcessManager::refresh_health(Process& process) {
  ProcessHandle& handle = process.handle;
  handle.health.reset();
  for (const auto& each : process.monitors) {
    auto status = each ? each->status() : std::nullopt;
    if (!status) continue;
    // It succeeded, and is asked no more: what it found then is no news.
    if (is_startup(each->config()) && !each->running() && is_success(status)) status = HealthStatus{};
    if (!handle.health || status->state > handle.health->state) handle.health = std::move(status);
  }
}

// What keeps a process with this readiness check out of service: "http: status 503". Empty: the check is well.
std::string ProcessManager::doubt_of(const Process& process, std::size_t index) const {
  const HealthMonitor* const monitor = process.monitors[index].get();
  const std::string name = process.config().health[index].check + ": ";
  const auto status = monitor ? monitor->status() : std::nullopt;
  if (status) return status->state == HealthState::unhealthy ? name + status->reason : std::string();
  if (!process.check_problems[index].empty()) return name + "cannot be made: " + process.check_problems[index];
  if (!process.started_up) return name + "not asked before the startup check has succeeded";
  const bool answered =
      monitor && !monitor->results().empty() && monitor->results().back().at >= process.handle.spawned;
  if (!answered) return name + "no answer yet";
  const HealthResult& last = monitor->results().back();
  if (last.reason) return name + *last.reason;
  const std::uint32_t wanted = process.config().health[index].healthy_after;
  return name + "no " + std::to_string(wanted) + " successes in a row yet";
}

void ProcessManager::refresh_readiness(Process& process) {
  const auto& checks = process.config().health;
  std::string unhealthy, unknown;
  for (std::size_t i = 0; i < process.monitors.size(); ++i) {
    if (!is_readiness(checks[i])) continue;
    std::string doubt = doubt_of(process, i);
    const bool known = process.monitors[i] && process.monitors[i]->status();
    std::string& first = known ? unhealthy : unknown;
    if (first.empty()) first = std::move(doubt);
  }
  // What is not known yet takes nobody out of service, and brings nobody in.
  if (unhealthy.empty() && process.handle.not_ready.empty()) return;
  if (unhealthy.empty()) unhealthy = std::move(unknown);
  set_not_ready(process, unhealthy.empty() ? std::string() : "not ready: " + unhealthy);
}

void ProcessManager::set_not_ready(Process& process, std::string text) {
  std::string& shown = process.handle.not_ready;
  const bool changed = text.empty() != shown.empty();
  shown = std::move(text);
  if (!changed) return;  // other words for the same are not worth a label
  touch(process);
  refresh_status(process);
}

void ProcessManager::health_answered(Process& process, HealthMonitor& monitor, bool changed) {
  const Scope scope(*this);
  ProcessHandle& handle = process.handle;
  const HealthConfig& config = monitor.config();
  if (passed_startup(process, monitor)) start_monitors(process, now());
  refresh_health(process);
  refresh_readiness(process);
  if (changed) services_.observer.on_health_changed(handle, {config.check, config.role, *monitor.status()});
  const bool waits = handle.phase == ProcessPhase::starting && process.config().ready.on == ReadyOn::health;
  if (waits && is_well(process)) became_ready(process);
  const auto status = monitor.status();
  const bool act = changed && status && status->state == HealthState::unhealthy &&
                   config.role != HealthRole::readiness && config.on_unhealthy == OnUnhealthy::restart;
  if (!act || (handle.phase != ProcessPhase::starting && handle.phase != ProcessPhase::running)) return;
  process.stop_cause = EndCause::health;
  stop(process, AfterStop::decide, config.check + ": " + status->reason, false);
}

}  // namespace tenon::runtime
