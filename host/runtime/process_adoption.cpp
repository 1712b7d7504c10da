// Taking over from a former engine. What the label says and what the keeper has may differ by the one step at which the
// engine died: the keeper then is right about what runs, the label about what was wanted.
#include <cassert>
#include <csignal>

#include "runtime/process_record.hpp"

namespace tenon::runtime {
namespace {

constexpr MonotonicTime kNone{};

}  // namespace

// Into a phase without a transition: nothing changed, somebody else merely looks at it now.
void ProcessManager::place(Process& process, ProcessPhase phase) {
  ProcessHandle& handle = process.handle;
  handle.phase = phase;
  --counts_[static_cast<std::size_t>(handle.status)];
  handle.status = status_of(phase, handle.paused(), handle.not_ready.empty(), handle.in_flight);
  ++counts_[static_cast<std::size_t>(handle.status)];
  touch(process);
}

void ProcessManager::adopt_label(Process& process, const ProcessLabel& label) {
  ProcessHandle& handle = process.handle;
  handle.generation = label.generation;
  handle.desired = label.desired;
  handle.reason = label.reason;
  handle.not_ready = label.not_ready;
  handle.spawned = label.spawned;
  handle.ready = label.ready;
  handle.consecutive = label.consecutive;
  handle.total_restarts = label.total_restarts;
  process.after_stop = label.after_stop;
  process.stop_cause = static_cast<EndCause>(label.end_cause);
  process.stop_reason = label.reason;
  process.held = label.held;
  process.started_up = label.started_up;
  process.time_left = label.time_left;
  process.previous_delay = label.previous_delay;
  process.memory = label.memory;
  process.window = label.window;
  // From an engine of another release: its config was this one, so it is taken for what the process was started with.
  const std::uint64_t current = process.config().start_digest;
  process.started_with = are_comparable(label.start_digest, current) ? label.start_digest : current;
  // The former engine may have died before it had said so of its last configuration.
  process.passed_over = handle.paused() ? current : label.passed_over;
  process.extra = label.extra;
}

bool ProcessManager::adopt(std::string_view id, const AdoptedProcess& adopted, MonotonicTime engine_lost) {
  Process* const process = get(id);
  if (!process) return false;
  assert(process->handle.generation == 0 && process->handle.phase == ProcessPhase::terminated);
  const Scope scope(*this);
  const ProcessLabel* const label = adopted.label ? &*adopted.label : nullptr;
  if (label) adopt_label(*process, *label);
  // The former engine took note of this exit and died before it could say so to the keeper: it must not count twice.
  // It may even have been about to spawn the next incarnation.
  const bool noted = label && adopted.child && adopted.child->exit &&
                     (label->generation > adopted.child->generation ||
                      (label->generation == adopted.child->generation && !may_have_pid(label->phase)));
  if (noted) to_forget_.push_back({process->handle.id(), adopted.child->generation});
  if (noted || !adopted.child) return adopt_without_child(*process, label);
  adopt_child(*process, label, *adopted.child, engine_lost);
  return false;
}

bool ProcessManager::stops_to_be_held(std::string_view id) const {
  const Process* const process = get(id);
  return process && is_stopping(process->handle.phase) && process->after_stop == AfterStop::hold;
}

bool ProcessManager::adopt_without_child(Process& process, const ProcessLabel* label) {
  ProcessHandle& handle = process.handle;
  if (!label) {
    place(process, ProcessPhase::waiting);
    return true;
  }
  if (handle.desired == Desired::down) {
    place(process, ProcessPhase::terminated);
    return false;
  }
  if (is_ended(label->phase)) {
    place(process, label->phase);
    return false;
  }
  if (is_stopping(label->phase)) {
    // Its exit was forgotten after this label was saved: only the last step is missing.
    process.held = label->after_stop == AfterStop::hold;
    place(process, label->after_stop == AfterStop::stay_down ? ProcessPhase::terminated : ProcessPhase::waiting);
    return handle.phase == ProcessPhase::waiting;
  }
  place(process, ProcessPhase::waiting);
  if (label->phase == ProcessPhase::spawning) {
    begin(handle.id());  // its spawn never reached the keeper; its turn had come, whatever became of others since
    return false;
  }
  if (label->phase != ProcessPhase::waiting) return true;  // the keeper has lost it
  if (label->held) return true;
  if (handle.paused() && label->time_left >= Duration::zero()) return false;
  if (label->due == kNone) return true;
  set_due_at(process, label->due);
  return false;
}

void ProcessManager::adopt_child(Process& process, const ProcessLabel* label, const AdoptedProcess::Child& child,
                                 MonotonicTime engine_lost) {
  ProcessHandle& handle = process.handle;
  // Without a label of this very generation the spawn was the last that the former engine did.
  const bool labelled = label && label->generation == child.generation && may_have_pid(label->phase);
  handle.generation = child.generation;
  handle.pid = child.pid;
  handle.spawned = child.started;
  const ReadyConfig& ready = process.config().ready;
  ProcessPhase phase = labelled ? label->phase : ProcessPhase::starting;
  if (phase == ProcessPhase::spawning) phase = ProcessPhase::starting;
  if (!labelled) {
    process.started_with = process.passed_over = process.config().start_digest;
    handle.ready = kNone;
    process.held = false;
    process.time_left = Duration(-1);
    begin_health(process);
    // Nothing at all is known of it. It ran well enough to be left alone: ready, rather than killed at a deadline.
    if (!label) phase = ProcessPhase::running, process.started_up = true, handle.not_ready.clear();
  }
  if (phase == ProcessPhase::starting && ready.on == ReadyOn::start) phase = ProcessPhase::running;
  if (phase == ProcessPhase::running && handle.ready == kNone) handle.ready = handle.spawned;
  // The label's reason is that of a phase which is over.
  if (phase == ProcessPhase::running && (!labelled || label->phase != phase) && !handle.paused()) handle.reason.clear();
  if (!has_readiness(process)) handle.not_ready.clear();
  process.frozen = handle.paused() && !is_stopping(phase);
  place(process, phase);
  if (child.exit) return;  // the caller delivers it
  if (labelled && label->signal_unsent) signal_again(process);

  if (phase == ProcessPhase::draining) {
    drain(process, std::max(label->due - now(), Duration::zero()));
  } else if (is_stopping(phase)) {
    set_due_at(process, label->due);
  } else {
    start_monitors(process, engine_lost);
    if (phase != ProcessPhase::starting || handle.paused()) return;
    const MonotonicTime due = labelled && label->due != kNone ? label->due : handle.spawned + ready.timeout;
    // A deadline that had passed already would have been acted upon.
    await_ready(process, std::max(due - engine_lost, Duration(std::chrono::milliseconds(100))));
  }
}

// The former engine died where it had saved what is so and perhaps not yet sent the signal that makes it so.
void ProcessManager::signal_again(Process& process) {
  const ProcessPhase phase = process.handle.phase;
  if (phase == ProcessPhase::killed) return signal_group(process, SIGKILL);
  if (process.frozen) return signal_group(process, SIGSTOP);
  signal_group(process, SIGCONT);
  if (phase == ProcessPhase::signalled) signal_group(process, process.config().stop.signal);
}

}  // namespace tenon::runtime
