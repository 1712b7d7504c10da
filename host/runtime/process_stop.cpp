// The stop sequence: drain, shutdown event, signal, grace, SIGKILL, and what is to follow.
#include <cassert>
#include <csignal>

#include "runtime/process_record.hpp"

namespace tenon::runtime {

void ProcessManager::signal_group(Process& process, int signal_number) {
  process.signal_unsent = true;
  touch(process);
  requests_.push_back({process.handle.id(), process.handle.generation, signal_number});
}

void ProcessManager::stop(Process& process, AfterStop after, std::string reason, bool drain_first) {
  ProcessHandle& handle = process.handle;
  if (is_stopping(handle.phase)) {
    // The stop goes on as it is; what follows is the newest wish, but a supervisor never undoes an operator's stop.
    const bool operators_stop = process.after_stop == AfterStop::stay_down && handle.desired == Desired::down;
    const bool may_replace = after != AfterStop::decide && !(operators_stop && after == AfterStop::hold);
    if (may_replace) process.after_stop = after, process.stop_reason = std::move(reason), touch(process);
    return;
  }
  process.after_stop = after;
  process.outlived_grace = false;
  process.stop_reason = std::move(reason);
  clear_due(process);
  process.time_left = Duration(-1);
  stop_monitors(process);
  if (handle.phase == ProcessPhase::waiting) return stopped(process, ExitRecord{});
  if (std::exchange(process.frozen, false)) signal_group(process, SIGCONT);
  const Duration limit = process.config().stop.drain;
  if (handle.phase == ProcessPhase::running && drain_first && limit > Duration::zero()) return drain(process, limit);
  send_stop_signal(process);
}

void ProcessManager::drain(Process& process, Duration limit) {
  set_phase(process, ProcessPhase::draining, process.stop_reason);
  set_due(process, limit);
  std::function<void()> done = [this, alive = std::weak_ptr<int>(alive_), id = process.handle.id(),
                                generation = process.handle.generation] {
    if (!alive.expired()) drained(id, generation);
  };
  services_.hooks.begin_drain(process.handle.id(), process.handle.due, std::move(done));
}

void ProcessManager::drained(std::string_view id, std::uint64_t generation) {
  Process* const process = get(id, generation);
  if (!process || process->handle.phase != ProcessPhase::draining) return;
  const Scope scope(*this);
  send_stop_signal(*process);
}

void ProcessManager::send_stop_signal(Process& process) {
  clear_due(process);
  const StopConfig& config = process.config().stop;
  set_phase(process, ProcessPhase::signalled, process.stop_reason);
  if (process.handle.pid) services_.hooks.send_shutdown(process.handle.id());
  if (config.grace <= Duration::zero()) return send_kill(process);
  signal_group(process, config.signal);
  set_due(process, config.grace);
}

void ProcessManager::send_kill(Process& process) {
  clear_due(process);
  set_phase(process, ProcessPhase::killed, process.stop_reason);
  signal_group(process, SIGKILL);
  set_due(process, kKillBound);
}

// Nothing of it runs any more (or nothing did).
void ProcessManager::stopped(Process& process, const ExitRecord& exit) {
  ProcessHandle& handle = process.handle;
  switch (process.after_stop) {
    case AfterStop::stay_down:
      return terminate(process, process.stop_reason,
                       Error(errc::cancelled, handle.id() + " was stopped: " + process.stop_reason));
    case AfterStop::hold: return held(process);
    case AfterStop::restart:
      if (owner_ && !owner_->may_restart_now(handle)) return held(process);
      settle(process, &Process::stop_waiters, {});
      return restart_now(process);
    case AfterStop::decide: return ask_policy(process, exit);
  }
}

void ProcessManager::held(Process& process) {
  process.held = true;
  set_phase(process, ProcessPhase::waiting, process.stop_reason);
  settle(process, &Process::stop_waiters, {});
  if (owner_) owner_->on_process_down(process.handle);
}

void ProcessManager::restart_now(Process& process) {
  if (process.handle.paused()) {
    process.held = false;
    process.time_left = Duration::zero();  // resume starts it
    return set_phase(process, ProcessPhase::waiting,
                     "paused by the operator, and to be started anew: " + process.stop_reason);
  }
  if (process.handle.phase != ProcessPhase::waiting) {
    set_phase(process, ProcessPhase::waiting, process.stop_reason);
  }
  spawn(process);
}

void ProcessManager::replace(std::string_view id, std::string reason) {
  Process* const process = get(id);
  if (!process || !may_have_pid(process->handle.phase)) return;
  const Scope scope(*this);
  if (process->handle.phase == ProcessPhase::draining) return send_stop_signal(*process);
  if (is_stopping(process->handle.phase)) return;
  process->after_stop = AfterStop::restart;
  process->stop_reason = std::move(reason);
  stop_monitors(*process);
  send_kill(*process);
}

void ProcessManager::cut_off(std::string_view id, std::uint64_t generation, std::string reason) {
  Process* const process = get(id, generation);
  if (!process || !may_have_pid(process->handle.phase) || is_stopping(process->handle.phase)) return;
  const Scope scope(*this);
  process->after_stop = AfterStop::decide;
  process->stop_cause = EndCause::channel;
  process->stop_reason = std::move(reason);
  stop_monitors(*process);
  send_kill(*process);
}

// ---- the owner's stops ----

void ProcessManager::hold(std::string_view id, std::string reason) {
  Process* const process = get(id);
  if (!process) return;
  const Scope scope(*this);
  const ProcessPhase phase = process->handle.phase;
  const bool down = is_ended(phase) || (phase == ProcessPhase::waiting && process->held);
  if (!down) return stop(*process, AfterStop::hold, std::move(reason));
  if (owner_) owner_->on_process_down(process->handle);
}

void ProcessManager::shut_down(std::string_view id, Completion done) {
  Process* const process = get(id);
  const Scope scope(*this);
  if (!process || is_ended(process->handle.phase)) return answer(std::move(done), {});
  add_stop_waiter(*process, std::move(done));
  stop(*process, AfterStop::stay_down, "the host stops");
}

void ProcessManager::end_starts() {
  const Scope scope(*this);
  starts_ended_ = true;
  for (const auto& [id, process] : processes_) {
    if (process->handle.phase != ProcessPhase::waiting || process->held) continue;
    clear_due(*process);
    process->time_left = Duration(-1);
    process->held = true;
    touch(*process);
  }
}

void ProcessManager::kill_all() {
  const Scope scope(*this);
  for (const auto& [id, process] : processes_) {
    const ProcessPhase phase = process->handle.phase;
    if (!may_have_pid(phase) || phase == ProcessPhase::killed) continue;
    stop_monitors(*process);
    if (!is_stopping(phase)) process->after_stop = AfterStop::stay_down, process->stop_reason = "the host stops";
    send_kill(*process);
  }
}

}  // namespace tenon::runtime
