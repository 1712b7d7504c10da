// The set of processes, labels, and what integration tells. The life of one process is in process_lifecycle.cpp, its
// health in process_health.cpp, new configurations in process_configure.cpp, stops in process_stop.cpp, the operator's verbs in process_verbs.cpp, adoption in
// process_adoption.cpp.
#include "runtime/process_manager.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "common/text.hpp"
#include "common/units.hpp"
#include "runtime/process_record.hpp"

namespace tenon::runtime {

ProcessManager::ProcessManager(Services services) : services_(services) {}

ProcessManager::~ProcessManager() { assert(depth_ == 0); }

ProcessManager::Process* ProcessManager::get(std::string_view id) const {
  const auto found = processes_.find(id);
  return found == processes_.end() ? nullptr : found->second.get();
}

ProcessManager::Process* ProcessManager::get(std::string_view id, std::uint64_t generation) const {
  Process* const process = get(id);
  return process && process->handle.generation == generation ? process : nullptr;
}

Status ProcessManager::add(std::shared_ptr<const ProcessConfig> config, std::string supervisor,
                           std::uint32_t stop_rank) {
  if (!config || config->id.empty() || config->argv.empty()) {
    return Error(errc::invalid_argument, "a process needs an id and a command; give it both", fault::caller);
  }
  if (get(config->id)) {
    return Error(errc::already_exists, "there is a process " + config->id + " already; remove it or use another id",
                 fault::caller);
  }
  auto process = std::make_unique<Process>(*this);
  process->handle.config = std::move(config);
  process->handle.supervisor = std::move(supervisor);
  process->stop_rank = stop_rank;
  ++counts_[static_cast<std::size_t>(process->handle.status)];
  std::string id = process->handle.id();
  processes_.emplace(std::move(id), std::move(process));
  return {};
}

Status ProcessManager::remove(std::string_view id) {
  const auto found = processes_.find(id);
  if (found == processes_.end()) return {};
  Process& process = *found->second;
  if (may_have_pid(process.handle.phase)) {
    return Error(errc::wrong_state, process.handle.id() + " still runs; stop it before it is removed");
  }
  const Status gone = Error(errc::cancelled, process.handle.id() + " was removed from the configuration");
  const Scope scope(*this);
  settle(process, &Process::start_waiters, gone);
  settle(process, &Process::stop_waiters, {});
  std::erase(dirty_, &process);
  --counts_[static_cast<std::size_t>(process.handle.status)];
  services_.launcher.drop_label(process.handle.id());
  processes_.erase(found);
  return {};
}

Status ProcessManager::set_extra(std::string_view id, std::string extra) {
  if (extra.size() > ProcessLabel::kMaxExtra) {
    return Error(errc::exhausted, std::string(id) + " wants to keep " + std::to_string(extra.size()) +
                                      " bytes with the keeper, " + std::to_string(ProcessLabel::kMaxExtra) +
                                      " are allowed; use fewer subscriptions");
  }
  Process* const process = get(id);
  if (!process || process->extra == extra) return {};
  const Scope scope(*this);
  process->extra = std::move(extra);
  touch(*process);
  return {};
}

const std::string& ProcessManager::extra(std::string_view id) const {
  static const std::string none;
  const Process* const process = get(id);
  return process ? process->extra : none;
}

const ProcessHandle* ProcessManager::find(std::string_view id) const {
  const Process* const process = get(id);
  return process ? &process->handle : nullptr;
}

ProcessStatus ProcessManager::status(std::string_view id) const {
  const Process* const process = get(id);
  return process ? process->handle.status : ProcessStatus::terminated;
}

std::vector<const ProcessHandle*> ProcessManager::list() const {
  std::vector<const ProcessHandle*> handles;
  handles.reserve(processes_.size());
  for (const auto& [id, process] : processes_) handles.push_back(&process->handle);
  std::sort(handles.begin(), handles.end(), [](const auto* a, const auto* b) { return a->id() < b->id(); });
  return handles;
}

void ProcessManager::for_each(const std::function<void(const ProcessHandle&)>& visit) const {
  for (const auto& [id, process] : processes_) visit(process->handle);
}

// ---- labels ----

void ProcessManager::touch(Process& process) {
  assert(depth_ > 0);
  if (!std::exchange(process.dirty, true)) dirty_.push_back(&process);
}

void ProcessManager::flush() noexcept {
  // What was sent, and what could not be, has another label for that.
  while (!dirty_.empty() || !requests_.empty()) {
    for (Process* const process : std::exchange(dirty_, {})) {
      process->dirty = false;
      save(*process);
    }
    for (const Request& request : std::exchange(requests_, {})) send(request);
  }
  for (const auto& [id, generation] : to_forget_) services_.launcher.forget(id, generation);
  to_forget_.clear();
}

void ProcessManager::send(const Request& request) {
  Process* const process = get(request.id, request.generation);
  if (request.signal_number != 0) {
    // An error means that the link is lost (this engine ends) or that nothing is left to signal (the exit is on its
    // way).
    (void)services_.launcher.signal(request.id, request.generation, request.signal_number, true);
    if (process && std::exchange(process->signal_unsent, false)) touch(*process);
    return;
  }
  if (!process) return;
  const StopConfig& stop = process->config().stop;
  const Status asked = services_.launcher.spawn(process->config(), request.generation,
                                                {stop.signal, stop.grace, process->stop_rank});
  if (!asked) cannot_spawn(*process, asked.error().message);
}

void ProcessManager::save(Process& process) {
  const ProcessHandle& handle = process.handle;
  ProcessLabel label;
  label.id = handle.id();
  label.generation = handle.generation;
  label.desired = handle.desired;
  label.phase = handle.phase;
  label.after_stop = process.after_stop;
  label.held = process.held;
  label.signal_unsent = process.signal_unsent;
  label.started_up = process.started_up;
  label.end_cause = static_cast<std::uint8_t>(process.stop_cause);
  label.reason = is_stopping(handle.phase) ? process.stop_reason : handle.reason;
  label.not_ready = handle.not_ready;
  label.spawned = handle.spawned;
  label.ready = handle.ready;
  label.due = handle.due;
  label.time_left = process.time_left;
  label.window = process.window;
  label.consecutive = handle.consecutive;
  label.total_restarts = handle.total_restarts;
  label.previous_delay = process.previous_delay;
  label.memory = process.memory;
  label.start_digest = process.started_with;
  label.passed_over = process.passed_over;
  label.extra = process.extra;
  services_.launcher.save_label(label.id, label.encode());
}

void ProcessManager::set_window(std::string_view id, std::vector<MonotonicTime> restarts) {
  Process* const process = get(id);
  if (!process) return;
  const Scope scope(*this);
  process->window = std::move(restarts);
  touch(*process);
}

const std::vector<MonotonicTime>& ProcessManager::window(std::string_view id) const {
  static const std::vector<MonotonicTime> none;
  const Process* const process = get(id);
  return process ? process->window : none;
}

// ---- what integration tells ----

void ProcessManager::on_exited(std::string_view id, std::uint64_t generation, const ExitStatus& status,
                               Duration run_time, const ResourceUsage& usage) {
  const Scope scope(*this);
  Process* const process = get(id, generation);
  if (!process || !may_have_pid(process->handle.phase)) {
    // Of a process that was removed, or told twice: nobody will ask for it again.
    to_forget_.push_back({ProcessId(id), generation});
    if (!get(id) && owner_) owner_->on_stranger_exited(ProcessId(id));
    return;
  }
  ExitRecord exit;
  exit.cause = status.signaled() ? EndCause::signal : EndCause::code;
  exit.status = status;
  exit.at = now();
  exit.run_time = run_time;
  exit.usage = usage;
  if (usage.out_of_memory) {
    exit.detail = "out of memory";
    const auto& limit = process->config().limits.memory_bytes;
    if (limit) exit.detail += ": limits.memory is " + format_bytes(*limit);
  }
  ended(*process, std::move(exit));
}

void ProcessManager::set_in_flight(std::string_view id, std::uint32_t count) {
  Process* const process = get(id);
  if (!process || process->handle.in_flight == count) return;
  process->handle.in_flight = count;
  const Scope scope(*this);
  refresh_status(*process);
}

void ProcessManager::set_worker_status(std::string_view id, std::string_view text) {
  if (Process* process = get(id)) process->handle.worker_status = replace_invalid_utf8(utf8_prefix(text, 256));
}

}  // namespace tenon::runtime
