// What a process says of itself while it lives: ready, reloading, stopping, in need of more time.
#include <algorithm>

#include "runtime/process_record.hpp"

namespace tenon::runtime {
namespace {

constexpr std::string_view kReloading = "reloading, as it says";

}  // namespace

void ProcessManager::notify_ready(std::string_view id, std::uint64_t generation) {
  Process* const process = get(id, generation);
  if (!process) return;
  const Scope scope(*this);
  ProcessHandle& handle = process->handle;
  std::string& reason = handle.paused() ? process->reason_before_pause : handle.reason;
  if (handle.phase == ProcessPhase::running && reason == kReloading) {
    reason.clear();
    return touch(*process);
  }
  const ReadyOn on = process->config().ready.on;
  if (handle.phase != ProcessPhase::starting || (on != ReadyOn::event && on != ReadyOn::notify)) return;
  became_ready(*process);
}

void ProcessManager::notify_reloading(std::string_view id, std::uint64_t generation) {
  Process* const process = get(id, generation);
  if (!process || process->handle.phase != ProcessPhase::running) return;
  const Scope scope(*this);
  ProcessHandle& handle = process->handle;
  (handle.paused() ? process->reason_before_pause : handle.reason) = kReloading;
  touch(*process);
}

void ProcessManager::notify_stopping(std::string_view id, std::uint64_t generation) {
  Process* const process = get(id, generation);
  if (!process) return;
  const ProcessPhase phase = process->handle.phase;
  if ((phase != ProcessPhase::starting && phase != ProcessPhase::running) || process->handle.paused()) return;
  const Scope scope(*this);
  process->after_stop = AfterStop::decide;
  process->stop_cause = EndCause::code;  // however it ends, that is how it ended
  process->stop_reason = "it ends by itself, as it says";
  process->time_left = Duration(-1);
  stop_monitors(*process);
  clear_due(*process);
  set_phase(*process, ProcessPhase::signalled, process->stop_reason);
  set_due(*process, process->config().stop.grace);
}

void ProcessManager::on_handed_over(std::string_view id, std::uint64_t generation, pid_t pid) {
  Process* const process = get(id, generation);
  if (!process || !process->handle.pid) return;
  const Scope scope(*this);
  process->handle.pid = pid;
  touch(*process);
}

void ProcessManager::extend_deadline(std::string_view id, std::uint64_t generation, Duration more) {
  Process* const process = get(id, generation);
  if (!process) return;
  const ProcessPhase phase = process->handle.phase;
  const bool counts = phase == ProcessPhase::starting || phase == ProcessPhase::signalled;
  if (!counts || process->handle.due == MonotonicTime{}) return;
  const Scope scope(*this);
  const MonotonicTime wanted = now() + std::min(more, kMaxExtension);
  if (wanted > process->handle.due) set_due_at(*process, wanted);
}

}  // namespace tenon::runtime
