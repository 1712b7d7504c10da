// What the ProcessManager keeps of a process beside its handle. Included by the manager's own sources only.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/process_manager.hpp"

namespace tenon::runtime {

struct ProcessManager::Process final : HealthListener {
  explicit Process(ProcessManager& m) : manager(m) {}
  void on_health_answer(HealthMonitor& monitor, bool changed) override {
    manager.health_answered(*this, monitor, changed);
  }

  ProcessManager& manager;
  ProcessHandle handle;
  event::Handle timer;  // of handle.due

  AfterStop after_stop = AfterStop::stay_down;  // while stopping
  EndCause stop_cause = EndCause::code;         // while stopping with AfterStop::decide
  std::string stop_reason;                      // why, for the status after the stop
  bool outlived_grace = false;  // of the stop under way
  bool held = false;         // waiting for the owner, not for a time
  bool started_up = false;   // nothing waits for a startup check (any more) in this incarnation
  bool frozen = false;       // SIGSTOP was sent and SIGCONT not
  bool dirty = false;        // in dirty_
  bool signal_unsent = false;  // one is among requests_
  std::uint32_t shortages = 0;  // failed attempts to spawn in a row, for want of something
  std::string reason_before_pause;  // of handle.reason, for the resume
  Duration time_left{-1};       // while paused: of handle.due; negative: there was none

  std::uint32_t stop_rank = 0;
  std::uint64_t started_with = 0;  // config().start_digest at the last spawn
  // config().start_digest of the newest configuration that it was paused under, or else of the spawn.
  std::uint64_t passed_over = 0;
  std::string extra;
  PolicyMemory memory{};
  Duration previous_delay{0};
  std::vector<MonotonicTime> window;
  std::shared_ptr<RestartPolicy> policy;  // null: not made yet, or its maker failed
  std::vector<std::unique_ptr<HealthMonitor>> monitors;  // one per config.health; null where the check cannot be made
  std::vector<std::string> check_problems;               // one per config.health: why it is not asked; empty: it is
  event::Handle check_retry;                             // of those with a problem
  std::vector<Completion> start_waiters, stop_waiters;

  const ProcessConfig& config() const noexcept { return *handle.config; }
};

// What those who wait for a stop are told once even SIGKILL had its time.
Error unkillable(const ProcessHandle& process);

// The span of one call from outside. When the outermost ends, labels are saved, then processes are spawned and
// signalled, then exits are forgotten, then those who waited for a result are told: they may call back in, and what they
// see is whole.
class ProcessManager::Scope {
 public:
  explicit Scope(ProcessManager& manager) : manager_(manager) { ++manager_.depth_; }
  Scope(const Scope&) = delete;
  ~Scope() {
    if (manager_.depth_ == 1) manager_.flush();
    if (--manager_.depth_ != 0) return;
    const auto answers = std::exchange(manager_.answers_, {});
    for (const auto& [done, status] : answers) done(status);
  }

 private:
  ProcessManager& manager_;
};

}  // namespace tenon::runtime
