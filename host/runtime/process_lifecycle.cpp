// One process from the request to spawn to the decision about its exit.
#include <cassert>
#include <csignal>
#include <cstring>

#include "common/text.hpp"
#include "common/units.hpp"
#include "runtime/process_record.hpp"
#include "runtime/restart_backoff.hpp"

namespace tenon::runtime {
namespace {

constexpr BackoffConfig kStandIn;  // for a policy that failed
constexpr BackoffConfig kShortage{std::chrono::milliseconds(100), 2.0, std::chrono::seconds(10), 0.2, Duration::max()};
constexpr std::size_t kMaxText = 256;

std::string starting_reason(ReadyOn on) {
  switch (on) {
    case ReadyOn::start: return "starting";
    case ReadyOn::event: return "started, not ready yet: no tenon.ready event";
    case ReadyOn::notify: return "started, not ready yet: no READY=1";
    case ReadyOn::health: return "started, not ready yet: not all checks are healthy";
    case ReadyOn::exit: return "started, ready when it has exited with 0";
  }
  return "starting";
}

std::string restart_reason(const RestartNotice& notice) {
  std::string text = "restart";
  if (notice.limit > 0) {
    text += " " + std::to_string(notice.attempt) + " of " + std::to_string(notice.limit) + " in " +
            format_duration(notice.period);
  }
  if (notice.delay > Duration::zero()) text += ", next in " + format_duration(notice.delay);
  return text + ": " + notice.reason;
}

}  // namespace

// ---- phase and status ----

void ProcessManager::set_phase(Process& process, ProcessPhase phase, std::string reason) {
  ProcessHandle& handle = process.handle;
  assert(handle.phase == phase || may_follow(handle.phase, phase));
  handle.phase = phase;
  handle.reason = std::move(reason);
  touch(process);
  refresh_status(process);
}

void ProcessManager::refresh_status(Process& process) {
  ProcessHandle& handle = process.handle;
  const ProcessStatus old = handle.status;
  const ProcessStatus fresh =
      status_of(handle.phase, handle.paused(), handle.not_ready.empty(), handle.in_flight);
  if (fresh == old) return;
  assert(may_follow(old, fresh));
  --counts_[static_cast<std::size_t>(old)];
  ++counts_[static_cast<std::size_t>(fresh)];
  handle.status = fresh;
  services_.observer.on_status_changed(handle, old);
}

// ---- the one deadline ----

void ProcessManager::set_due(Process& process, Duration delay) { set_due_at(process, now() + delay); }

void ProcessManager::set_due_at(Process& process, MonotonicTime due) {
  process.handle.due = due;
  process.timer = services_.loop.after(due - now(), [this, &process] { deadline(process); });
  touch(process);
}

void ProcessManager::clear_due(Process& process) {
  process.timer.reset();
  process.handle.due = {};
}

void ProcessManager::deadline(Process& process) {
  const Scope scope(*this);
  clear_due(process);
  switch (process.handle.phase) {
    case ProcessPhase::waiting: return spawn(process);
    case ProcessPhase::starting:
      if (process.config().ready.on == ReadyOn::health && waits_for_checks(process)) {
        return set_due(process, process.config().ready.timeout);
      }
      process.stop_cause = EndCause::startup;
      return stop(process, AfterStop::decide, "not ready within " + format_duration(process.config().ready.timeout));
    case ProcessPhase::draining: return send_stop_signal(process);
    case ProcessPhase::signalled:
      process.outlived_grace = true;
      return send_kill(process);
    case ProcessPhase::killed: {
      // The kernel keeps it, most often in an uninterruptible wait for a device or a network file system.
      process.handle.reason = "SIGKILL had no effect for " + format_duration(kKillBound);
      return settle(process, &Process::stop_waiters, unkillable(process.handle));
    }
    default: assert(false && "a deadline in a phase that has none");
  }
}

// ---- spawn and readiness ----

void ProcessManager::spawn(Process& process) {
  ProcessHandle& handle = process.handle;
  clear_due(process);
  process.held = starts_ended_ || handle.desired == Desired::down;
  process.time_left = Duration(-1);
  if (process.held) return touch(process);
  ++handle.generation;
  process.started_with = process.passed_over = process.config().start_digest;
  handle.spawned = now();
  handle.ready = {};
  begin_health(process);
  set_phase(process, ProcessPhase::spawning, "starting");
  requests_.push_back({handle.id(), handle.generation, 0});
}

// The launcher does not take the request. One that is stopped in the same call has failed to start.
void ProcessManager::cannot_spawn(Process& process, const std::string& why) {
  if (process.handle.phase == ProcessPhase::spawning) return retry_spawn(process, why);
  services_.loop.post([this, alive = std::weak_ptr<int>(alive_), id = process.handle.id(),
                       generation = process.handle.generation, why] {
    if (!alive.expired()) on_spawn_failed(id, generation, why, 0);
  });
}

void ProcessManager::on_spawned(std::string_view id, std::uint64_t generation, pid_t pid) {
  Process* const process = get(id, generation);
  if (!process || process->handle.pid || !may_have_pid(process->handle.phase)) return;
  const Scope scope(*this);
  ProcessHandle& handle = process->handle;
  handle.pid = pid;
  handle.spawned = now();
  process->shortages = 0;
  touch(*process);
  services_.observer.on_starting(handle);
  if (handle.phase != ProcessPhase::spawning) return;  // being stopped already: the signals were sent behind the spawn

  const ReadyConfig& ready = process->config().ready;
  set_phase(*process, ProcessPhase::starting, handle.paused() ? handle.reason : starting_reason(ready.on));
  start_monitors(*process, handle.spawned);
  if (handle.phase != ProcessPhase::starting) return;  // a check answered at once
  const bool at_once = ready.on == ReadyOn::start || (ready.on == ReadyOn::health && process->config().health.empty());
  if (at_once) return became_ready(*process);
  await_ready(*process, ready.timeout);
}

// The readiness deadline, `left` from now. What waits for a check that cannot be made has none: to restart it would not
// bring the check.
void ProcessManager::await_ready(Process& process, Duration left) {
  ProcessHandle& handle = process.handle;
  const ReadyConfig& ready = process.config().ready;
  const std::string missing = ready.on == ReadyOn::health ? missing_check(process) : std::string();
  std::string reason = missing.empty() ? starting_reason(ready.on) : "started, not ready yet: " + missing;
  (handle.paused() ? process.reason_before_pause : handle.reason) = std::move(reason);
  touch(process);
  if (ready.timeout <= Duration::zero() || !missing.empty()) return;
  if (handle.paused()) {
    process.time_left = left;
  } else {
    set_due(process, left);
  }
}

void ProcessManager::became_ready(Process& process) {
  ProcessHandle& handle = process.handle;
  clear_due(process);
  process.time_left = Duration(-1);
  handle.ready = now();
  set_phase(process, ProcessPhase::running, handle.paused() ? handle.reason : std::string());
  if (process.policy) process.policy->on_ready(handle.ready - handle.spawned, process.memory);
  services_.observer.on_ready(handle);
  settle(process, &Process::start_waiters, {});
  if (owner_) owner_->on_process_ready(handle);
}

void ProcessManager::on_spawn_failed(std::string_view id, std::uint64_t generation, std::string_view stage,
                                     int error_number, std::string_view message) {
  Process* const process = get(id, generation);
  if (!process || process->handle.pid || !may_have_pid(process->handle.phase)) return;
  const Scope scope(*this);
  std::string text(message);
  if (text.empty()) {
    text = std::string(stage);
    if (error_number != 0) text += std::string(": ") + std::strerror(error_number);
  }
  text = replace_invalid_utf8(utf8_prefix(text, kMaxText));

  const SpawnFailure kind = classify_spawn_failure(error_number);
  if (kind == SpawnFailure::shortage && process->handle.phase == ProcessPhase::spawning) {
    return retry_spawn(*process, text);
  }
  ExitRecord exit;
  exit.cause = EndCause::spawn;
  exit.spawn_error = error_number;
  exit.detail = std::move(text);
  exit.at = now();
  ended(*process, std::move(exit));
}

// Nobody's fault and nobody's budget: tried again until the machine has what it takes.
void ProcessManager::retry_spawn(Process& process, const std::string& shortage) {
  if (process.shortages < UINT32_MAX) ++process.shortages;
  const Duration delay = backoff_delay(kShortage, process.shortages, random_.next());
  set_phase(process, ProcessPhase::waiting,
            "the machine is short of something: " + shortage + "; tried again in " + format_duration(delay));
  if (process.handle.paused()) {
    process.time_left = delay;
  } else {
    set_due(process, delay);
  }
}

// ---- exit ----

void ProcessManager::ended(Process& process, ExitRecord exit) {
  ProcessHandle& handle = process.handle;
  const bool stopping = is_stopping(handle.phase);
  stop_monitors(process);
  clear_due(process);
  exit.was_ready = handle.ready != MonotonicTime{};
  if (exit.was_ready) exit.ready_time = exit.at - handle.ready;
  if (exit.cause != EndCause::spawn) to_forget_.push_back({handle.id(), handle.generation});
  if (handle.pid) exit.pid = *handle.pid;
  handle.pid.reset();
  handle.in_flight = 0;
  handle.health.reset();
  handle.not_ready.clear();
  handle.worker_status.clear();
  process.frozen = false;
  process.time_left = Duration(-1);
  if (process.outlived_grace && exit.cause == EndCause::signal && exit.status.signal == SIGKILL) {
    const StopConfig& stop = process.config().stop;
    exit.detail = "it had not ended " + format_duration(stop.grace) + " after " + signal_name(stop.signal);
  }
  process.outlived_grace = false;
  if (stopping && process.after_stop == AfterStop::decide && exit.cause != EndCause::spawn) {
    if (process.stop_cause != EndCause::code) {
      exit.cause = process.stop_cause;
      exit.detail = process.stop_reason;
    } else if (handle.phase == ProcessPhase::killed && exit.status.signal == SIGKILL) {
      exit.detail = "it said that it ends, and did not within its grace";
    }
  }
  handle.last_exit = std::make_unique<ExitRecord>(exit);
  touch(process);
  if (exit.cause != EndCause::spawn) services_.observer.on_exited(handle, exit);
  if (stopping && process.after_stop != AfterStop::decide) return stopped(process, exit);

  if (process.config().ready.on == ReadyOn::exit && exit.success()) {
    handle.ready = exit.at;
    services_.observer.on_ready(handle);
    settle(process, &Process::start_waiters, {});
    if (owner_) owner_->on_process_ready(handle);
  }
  settle(process, &Process::stop_waiters, {});
  if (exit.cause == EndCause::spawn && classify_spawn_failure(exit.spawn_error) == SpawnFailure::hopeless) {
    RestartDecision give_up;
    give_up.action = RestartAction::give_up;
    give_up.memory = process.memory;
    return ask_policy(process, exit, std::move(give_up));
  }
  ask_policy(process, exit);
}

void ProcessManager::ask_policy(Process& process, const ExitRecord& exit, std::optional<RestartDecision> decided) {
  ProcessHandle& handle = process.handle;
  const RestartDecision decision = decided ? std::move(*decided) : decide(process, exit);
  process.memory = decision.memory;
  if (decision.reset) handle.consecutive = 0;
  // The status follows with what the owner decides: an exit has no status of its own.
  handle.phase = ProcessPhase::waiting;
  process.held = false;
  if (owner_) {
    owner_->on_exit_decided(handle, exit, decision);
    return;
  }
  const std::string why = reason_of(exit, decision);
  switch (decision.action) {
    case RestartAction::restart: return restart_after(handle.id(), decision.delay, {decision.delay, why});
    case RestartAction::finished: return finish(handle.id(), why);
    case RestartAction::give_up:
    case RestartAction::escalate: return fail(handle.id(), why);
  }
}

RestartDecision ProcessManager::decide(Process& process, const ExitRecord& exit) {
  const ProcessHandle& handle = process.handle;
  ExitInfo info;
  info.ended = exit.cause;
  if (exit.cause == EndCause::code) info.value = exit.status.code;
  if (exit.cause == EndCause::signal) info.value = exit.status.signal;
  if (exit.cause == EndCause::spawn) info.value = exit.spawn_error;
  info.was_ready = exit.was_ready;
  info.run_time = exit.run_time;
  info.ready_time = exit.ready_time;
  info.consecutive = handle.consecutive;
  info.total_restarts = handle.total_restarts;
  info.previous_delay = process.previous_delay;
  info.random = random_.next();
  info.memory = process.memory;

  auto stand_in = [&](const Error& problem) {
    services_.observer.on_policy_misbehaved(handle, "restart_policy/" + process.config().restart.policy, problem);
    RestartDecision decision = decide_by_backoff(kStandIn, info);
    // A task that is done must not run again because its policy is missing.
    if (process.config().ready.on == ReadyOn::exit && exit.success()) decision.action = RestartAction::finished;
    decision.text = "built-in back-off stands in for the policy \"" + process.config().restart.policy + "\"";
    return decision;
  };

  if (!process.policy) {
    auto made = policy_of(process);
    if (!made) return stand_in(made.error());
    process.policy = std::move(made).value();
  }
  auto answer = process.policy->decide(info);
  if (!answer) return stand_in(answer.error());
  RestartDecision decision = std::move(answer).value();
  if (decision.delay < Duration::zero() || decision.action > RestartAction::escalate) {
    return stand_in(Error(errc::internal, "the restart policy answered with a negative delay or an unknown action; "
                                          "report it to its author",
                          fault::plugin));
  }
  decision.delay = std::min(decision.delay, kMaxRestartDelay);
  decision.text = replace_invalid_utf8(utf8_prefix(decision.text, kMaxText));
  return decision;
}

Result<std::shared_ptr<RestartPolicy>> ProcessManager::policy_of(const Process& process) {
  const RestartConfig& wanted = process.config().restart;
  std::string key = wanted.policy;
  key.push_back('\0');
  key += wanted.config;
  std::weak_ptr<RestartPolicy>& known = policies_[key];
  if (auto shared = known.lock()) return shared;
  auto made = services_.policies.make(wanted.policy, wanted.config);
  if (!made) return std::move(made).error();
  std::shared_ptr<RestartPolicy> shared = std::move(made).value();
  if (!shared) return Error(errc::internal, "the restart policy " + wanted.policy + " made no instance", fault::plugin);
  known = shared;
  return shared;
}

// ---- what follows from an exit ----

void ProcessManager::count_restart(Process& process, const RestartNotice& notice) {
  ProcessHandle& handle = process.handle;
  ++handle.total_restarts;
  ++handle.consecutive;
  process.previous_delay = notice.delay;
  if (!handle.history) handle.history = std::make_unique<std::deque<RestartRecord>>();
  handle.history->push_back({handle.generation, now(), notice.delay, notice.reason});
  if (handle.history->size() > ProcessHandle::kHistory) handle.history->pop_front();
  set_phase(process, ProcessPhase::waiting, restart_reason(notice));
  services_.observer.on_restarting(handle, notice);
}

void ProcessManager::restart_after(std::string_view id, Duration delay, RestartNotice notice) {
  Process* const process = get(id);
  if (!process || process->handle.phase != ProcessPhase::waiting) return;
  const Scope scope(*this);
  notice.delay = delay;
  count_restart(*process, notice);
  if (process->handle.paused()) {
    process->time_left = delay;
  } else if (delay <= Duration::zero()) {
    spawn(*process);
  } else {
    set_due(*process, delay);
  }
}

void ProcessManager::restart_when_told(std::string_view id, RestartNotice notice) {
  Process* const process = get(id);
  if (!process || process->handle.phase != ProcessPhase::waiting) return;
  const Scope scope(*this);
  process->held = true;
  count_restart(*process, notice);
}

void ProcessManager::terminate(Process& process, std::string reason, const Status& for_starters) {
  clear_due(process);
  process.held = false;
  process.time_left = Duration(-1);
  if (process.handle.desired == Desired::paused) process.handle.desired = Desired::up;
  set_phase(process, ProcessPhase::terminated, std::move(reason));
  settle(process, &Process::start_waiters, for_starters);
  settle(process, &Process::stop_waiters, {});
  services_.observer.on_stopped(process.handle);
  if (owner_) owner_->on_process_down(process.handle);
}

void ProcessManager::finish(std::string_view id, std::string reason) {
  Process* const process = get(id);
  if (!process || process->handle.phase != ProcessPhase::waiting) return;
  const Scope scope(*this);
  const Error early(errc::wrong_state, process->handle.id() + " ended before it was ready: " + reason);
  terminate(*process, std::move(reason), early);
}

void ProcessManager::fail(std::string_view id, std::string reason) {
  Process* const process = get(id);
  if (!process || may_have_pid(process->handle.phase) || process->handle.phase == ProcessPhase::error) return;
  const Scope scope(*this);
  ProcessHandle& handle = process->handle;
  clear_due(*process);
  process->held = false;
  process->time_left = Duration(-1);
  if (handle.desired == Desired::paused) handle.desired = Desired::up;
  const Error failed(errc::unavailable, handle.id() + " is in error: " + reason);
  set_phase(*process, ProcessPhase::error, std::move(reason));
  settle(*process, &Process::start_waiters, failed);
  settle(*process, &Process::stop_waiters, {});
  services_.observer.on_failed(handle);
  if (owner_) owner_->on_process_down(handle);
}

}  // namespace tenon::runtime
