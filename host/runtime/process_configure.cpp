// A new configuration for a process that is known. What the host itself does with it changes at once; the process is
// not touched.
#include "runtime/process_record.hpp"

namespace tenon::runtime {

bool ProcessManager::configure(std::shared_ptr<const ProcessConfig> config, std::string supervisor,
                               std::uint32_t stop_rank) {
  Process* const process = config ? get(config->id) : nullptr;
  if (!process) return false;
  const Scope scope(*this);
  ProcessHandle& handle = process->handle;
  const std::shared_ptr<const ProcessConfig> old = std::exchange(handle.config, std::move(config));
  handle.supervisor = std::move(supervisor);
  const ProcessConfig& fresh = *handle.config;
  if (old->restart != fresh.restart) {
    process->policy.reset();
    // What one policy remembers is nothing to another.
    if (old->restart.policy != fresh.restart.policy) process->memory = {};
  }
  const bool stop_changed = old->stop.signal != fresh.stop.signal || old->stop.grace != fresh.stop.grace;
  if (stop_changed || process->stop_rank != stop_rank) {
    process->stop_rank = stop_rank;
    send_stop_plan(*process);
  }
  if (old->health != fresh.health) renew_monitors(*process);
  process->passed_over = handle.paused() ? fresh.start_digest : process->started_with;
  touch(*process);
  if (old->start_digest != fresh.start_digest) return true;
  const bool terms = old->ready != fresh.ready || old->restart != fresh.restart || old->health != fresh.health ||
                     stop_changed;
  return handle.phase == ProcessPhase::error && terms;
}

std::optional<std::uint64_t> ProcessManager::started_with(std::string_view id) const {
  const Process* const process = get(id);
  if (!process || !may_have_pid(process->handle.phase)) return std::nullopt;
  return process->started_with;
}

bool ProcessManager::outdated(std::string_view id) const {
  const auto digest = started_with(id);
  return digest && *digest != get(id)->config().start_digest;
}

bool ProcessManager::passed_over(std::string_view id) const {
  return outdated(id) && get(id)->passed_over == get(id)->config().start_digest;
}

void ProcessManager::send_stop_plan(Process& process) {
  if (!may_have_pid(process.handle.phase)) return;
  const StopConfig& stop = process.config().stop;
  // A refused request means a lost link: the engine ends, and its successor sends the plan anew.
  (void)services_.launcher.set_stop_plan(process.handle.id(), process.handle.generation,
                                         {stop.signal, stop.grace, process.stop_rank});
}

// The checks begin anew, with their start periods counted from the spawn as ever; what the old ones found is forgotten.
// But in service is who was in service, until a new readiness check says otherwise: all replicas of a process are
// configured in one moment, and must not leave their groups together for want of an answer. One that has started up is
// past its startup checks, new ones included.
void ProcessManager::renew_monitors(Process& process) {
  ProcessHandle& handle = process.handle;
  stop_monitors(process);
  process.monitors.clear();
  process.check_problems.clear();
  handle.health.reset();
  if (handle.phase != ProcessPhase::starting && handle.phase != ProcessPhase::running) return;
  start_monitors(process, now());
  const bool waits = handle.phase == ProcessPhase::starting && process.config().ready.on == ReadyOn::health;
  if (!has_readiness(process)) set_not_ready(process, {});
  if (waits && is_well(process)) became_ready(process);
}

}  // namespace tenon::runtime
