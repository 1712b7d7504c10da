// What an operator asks for, what the owner starts, and those who wait for a result.
#include <cassert>
#include <csignal>

#include "common/units.hpp"
#include "runtime/process_record.hpp"

namespace tenon::runtime {
namespace {

constexpr const char* kPaused = "paused by the operator";

Error unknown_process(std::string_view id) {
  return Error(errc::not_found, "there is no process " + std::string(id) + "; `tenon ps` lists those that exist",
               fault::caller);
}

Error wrong_state(const ProcessHandle& process, const char* what_to_do) {
  std::string text = process.id() + " is " + std::string(to_string(process.status));
  if (!process.reason.empty()) text += " (" + process.reason + ")";
  return Error(errc::wrong_state, text + "; " + what_to_do, fault::caller);
}

}  // namespace

Error unkillable(const ProcessHandle& process) {
  const std::string pid = process.pid ? std::to_string(*process.pid) : "unknown";
  return Error(errc::timeout, process.id() + " (pid " + pid + ") does not die: SIGKILL had no effect for " +
                                  format_duration(ProcessManager::kKillBound) + "; /proc/" + pid +
                                  "/stack says what it waits for");
}

// ---- waiting for results ----

void ProcessManager::answer(Completion done, Status result) {
  if (done) answers_.emplace_back(std::move(done), std::move(result));
}

void ProcessManager::add_start_waiter(Process& process, Completion done) {
  if (!done) return;
  if (process.start_waiters.size() >= kMaxWaiters) {
    return answer(std::move(done), Error(errc::exhausted, std::to_string(kMaxWaiters) + " requests wait for " +
                                                              process.handle.id() + " already; use --no-wait"));
  }
  process.start_waiters.push_back(std::move(done));
}

void ProcessManager::add_stop_waiter(Process& process, Completion done) {
  if (!done) return;
  if (process.handle.phase == ProcessPhase::killed && process.handle.due == MonotonicTime{}) {
    return answer(std::move(done), unkillable(process.handle));  // those before were told when the bound passed
  }
  process.stop_waiters.push_back(std::move(done));
}

void ProcessManager::settle(Process& process, std::vector<Completion> Process::*list, const Status& result) {
  for (Completion& done : std::exchange(process.*list, {})) answer(std::move(done), result);
}

void ProcessManager::reset_history(Process& process) {
  process.handle.consecutive = 0;
  process.previous_delay = Duration::zero();
  process.memory = {};
  process.window.clear();
  process.shortages = 0;
  if (process.policy) process.policy->reset(process.memory);
  if (owner_) owner_->on_history_reset(process.handle);
  touch(process);
}

void ProcessManager::forget_restarts(std::string_view id) {
  const Scope scope(*this);
  if (Process* process = get(id)) reset_history(*process);
}

// ---- start ----

void ProcessManager::prepare_start(std::string_view id, std::string reason, Completion done) {
  const Scope scope(*this);
  Process* const process = get(id);
  if (!process) return answer(std::move(done), unknown_process(id));
  ProcessHandle& handle = process->handle;
  if (handle.paused()) return answer(std::move(done), wrong_state(handle, "use `tenon resume` to let it go on"));
  if (handle.phase == ProcessPhase::running) return answer(std::move(done), {});
  handle.desired = Desired::up;
  add_start_waiter(*process, std::move(done));
  touch(*process);
  if (handle.phase == ProcessPhase::spawning || handle.phase == ProcessPhase::starting) return;
  if (is_ended(handle.phase)) handle.total_restarts = 0;
  reset_history(*process);
  if (is_stopping(handle.phase)) return stop(*process, AfterStop::restart, "started by the operator");
  clear_due(*process);
  set_phase(*process, ProcessPhase::waiting, std::move(reason));
}

void ProcessManager::start(std::string_view id, Completion done) {
  const Scope scope(*this);
  prepare_start(id, "starting", std::move(done));
  begin(id);
}

void ProcessManager::wait_for(std::string_view id, std::string reason) {
  Process* const process = get(id);
  if (!process) return;
  const Scope scope(*this);
  if (is_ended(process->handle.phase) || process->handle.phase == ProcessPhase::waiting) {
    clear_due(*process);
    set_phase(*process, ProcessPhase::waiting, std::move(reason));
  }
}

void ProcessManager::tell_starters(std::string_view id, Status result) {
  const Scope scope(*this);
  if (Process* process = get(id)) settle(*process, &Process::start_waiters, result);
}

void ProcessManager::begin(std::string_view id) {
  Process* const process = get(id);
  if (!process || may_have_pid(process->handle.phase)) return;
  const Scope scope(*this);
  if (is_ended(process->handle.phase)) set_phase(*process, ProcessPhase::waiting, "starting");
  if (!process->handle.paused()) return spawn(*process);
  process->held = false;
  process->time_left = Duration::zero();  // resume starts it
  process->handle.ready = {};             // that was another incarnation: who waits for this one waits on
  process->handle.reason = std::string(kPaused) + " before it was started";
  touch(*process);
}

// ---- stop, restart ----

void ProcessManager::stop_process(std::string_view id, Completion done, const std::string& why) {
  const Scope scope(*this);
  Process* const process = get(id);
  if (!process) return answer(std::move(done), unknown_process(id));
  ProcessHandle& handle = process->handle;
  const bool was_down = std::exchange(handle.desired, Desired::down) == Desired::down;
  touch(*process);
  if (handle.phase == ProcessPhase::terminated) return answer(std::move(done), {});
  settle(*process, &Process::start_waiters, Error(errc::cancelled, handle.id() + " was " + why));
  if (handle.phase == ProcessPhase::error) {
    answer(std::move(done), {});
    return terminate(*process, why, {});
  }
  add_stop_waiter(*process, std::move(done));
  if (was_down && is_stopping(handle.phase) && process->after_stop == AfterStop::stay_down) return;
  stop(*process, AfterStop::stay_down, why);
}

void ProcessManager::mark_down(std::string_view id) {
  Process* const process = get(id);
  if (!process || process->handle.paused()) return;
  const Scope scope(*this);
  process->handle.desired = Desired::down;
  touch(*process);
}

void ProcessManager::mark_up(std::string_view id, std::string reason) {
  Process* const process = get(id);
  if (!process) return;
  const Scope scope(*this);
  ProcessHandle& handle = process->handle;
  const bool was_paused = handle.paused();
  if (was_paused && may_have_pid(handle.phase)) return resume(id, {});
  handle.desired = Desired::up;
  touch(*process);
  // It may be gone before its turn: down for then, not for good.
  if (is_stopping(handle.phase) && process->after_stop == AfterStop::stay_down) process->after_stop = AfterStop::hold;
  if (!was_paused && !is_ended(handle.phase)) return;
  if (is_ended(handle.phase)) handle.total_restarts = 0;
  process->time_left = Duration(-1);
  process->held = true;
  set_phase(*process, ProcessPhase::waiting, std::move(reason));
}

void ProcessManager::restart(std::string_view id, Completion done) {
  const Scope scope(*this);
  Process* const process = get(id);
  if (!process) return answer(std::move(done), unknown_process(id));
  ProcessHandle& handle = process->handle;
  if (!may_have_pid(handle.phase)) {
    if (handle.paused()) handle.desired = Desired::up, process->time_left = Duration(-1), refresh_status(*process);
    return start(id, std::move(done));
  }
  handle.desired = Desired::up;
  reset_history(*process);
  add_start_waiter(*process, std::move(done));
  stop(*process, AfterStop::restart, "restarted by the operator");
}

// ---- pause, resume, kill ----

void ProcessManager::pause(std::string_view id, Completion done) {
  const Scope scope(*this);
  Process* const process = get(id);
  if (!process) return answer(std::move(done), unknown_process(id));
  ProcessHandle& handle = process->handle;
  if (is_stopping(handle.phase)) return answer(std::move(done), wrong_state(handle, "wait until it has stopped"));
  if (is_ended(handle.phase)) return answer(std::move(done), wrong_state(handle, "start it first"));
  if (handle.paused()) return answer(std::move(done), {});
  handle.desired = Desired::paused;
  process->passed_over = process->config().start_digest;  // of a reload whose restart had not come yet
  process->time_left = handle.due == MonotonicTime{} ? Duration(-1) : std::max(handle.due - now(), Duration::zero());
  clear_due(*process);
  process->reason_before_pause = std::exchange(handle.reason, kPaused);
  touch(*process);
  if (may_have_pid(handle.phase)) {
    process->frozen = true;
    signal_group(*process, SIGSTOP);
    for (const auto& monitor : process->monitors) {
      if (monitor) monitor->suspend();
    }
  }
  refresh_status(*process);
  settle(*process, &Process::start_waiters,
         Error(errc::cancelled, handle.id() + " was paused before it was ready; resume it"));
  answer(std::move(done), {});
}

void ProcessManager::resume(std::string_view id, Completion done) {
  const Scope scope(*this);
  Process* const process = get(id);
  if (!process) return answer(std::move(done), unknown_process(id));
  ProcessHandle& handle = process->handle;
  if (!handle.paused()) {
    if (is_ended(handle.phase)) return answer(std::move(done), wrong_state(handle, "start it instead"));
    if (is_stopping(handle.phase)) return answer(std::move(done), wrong_state(handle, "wait until it has stopped"));
    return answer(std::move(done), {});
  }
  handle.desired = Desired::up;
  touch(*process);
  // Its supervisor stops it, and has continued it for that: only what follows the stop changes.
  if (is_stopping(handle.phase)) return answer(std::move(done), {});
  // Unless something else was said of it meanwhile ("waiting for broker").
  std::string before = std::exchange(process->reason_before_pause, {});
  if (handle.reason.starts_with(kPaused)) handle.reason = std::move(before);
  if (std::exchange(process->frozen, false)) {
    signal_group(*process, SIGCONT);
    for (const auto& monitor : process->monitors) {
      if (monitor) monitor->resume();
    }
  }
  refresh_status(*process);
  const Duration left = std::exchange(process->time_left, Duration(-1));
  if (handle.phase == ProcessPhase::waiting && left == Duration::zero()) {
    spawn(*process);
  } else if (left >= Duration::zero()) {
    set_due(*process, left);
  }
  answer(std::move(done), {});
}

void ProcessManager::kill(std::string_view id, int signal_number, Completion done) {
  const Scope scope(*this);
  Process* const process = get(id);
  if (!process) return answer(std::move(done), unknown_process(id));
  const ProcessHandle& handle = process->handle;
  if (!may_have_pid(handle.phase)) return answer(std::move(done), wrong_state(handle, "nothing of it runs"));
  answer(std::move(done), services_.launcher.signal(handle.id(), handle.generation, signal_number, false));
}

}  // namespace tenon::runtime
