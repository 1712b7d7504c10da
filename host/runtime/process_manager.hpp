// Drives the life of each process: spawn, readiness, exit, restart timer, stop. Owns the ProcessHandles.
//
// The model. The phases are those of process_status.hpp. A process has at most one deadline at a time, and the phase
// says what it means:
//
//   waiting ──begin──► spawning ──spawned──► starting ──ready──► running
//      ▲                  │ failed              │ exit, deadline    │ exit
//      │                  ▼                     ▼                   ▼
//      └──restart── (policy decides, owner plans) ──► terminated | error
//   spawning, starting, running ──stop──► draining ──► signalled ──grace──► killed ──exit──► AfterStop says
//
// After an exit the manager asks the process's restart policy; what follows from the answer (intensity, strategy,
// order) is decided by the ProcessOwner, the supervision tree, which calls back with restart_after, hold, finish or
// fail. Without an owner the manager does as the policy said.
//
// A stop asked for while the process spawns waits for nothing: the launcher keeps requests in order. A paused process
// is continued before it is stopped. Whoever asks for something that another request undoes is told errc::cancelled.
// The roles of health checks are Kubernetes'. Startup checks are asked alone, until each has succeeded once; then the
// others begin. Readiness checks say whether a process is in service: an incarnation that has some begins out of service
// and gets there when all of them are well; it leaves when one is unhealthy. What is not known changes nothing: after an
// engine's death and after a reload it is as it was until a check says otherwise. Out of service its phase stays
// `running`: nothing is restarted, nobody who depends on it is held back, and no deadline runs; its status is
// `initializing`, so that whoever goes by the status gives it no work.
//
// A health check that cannot be made (its plugin is missing, or refuses) is tried again every kCheckRetry while its
// process runs. Meanwhile a process that becomes ready by its checks is not ready, says which is missing, and has no
// readiness deadline.
//
// After SIGKILL the wait is bounded too: past kKillBound those who wait for the stop are told, by name, what does not
// die; the process stays `stopping` until the kernel gives it back.
//
// Each change of what a successor must know is saved as a label at the end of the call that made it, before a process is
// spawned or signalled and before an exit is forgotten: a successor must not find a new incarnation without the restart
// that it was, nor take an end that we asked for for a failure. After a crash in between it is told of the exit again,
// and sees by the label that it is old; or it sees that a signal may not have been sent, and sends it.
//
// All [loop]. Cost of every event is O(1) in the number of processes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/ids.hpp"
#include "event/loop.hpp"
#include "runtime/health_check.hpp"
#include "runtime/health_monitor.hpp"
#include "runtime/process_handle.hpp"
#include "runtime/process_hooks.hpp"
#include "runtime/process_launcher.hpp"
#include "runtime/restart_policy.hpp"
#include "runtime/runtime_observer.hpp"

namespace tenon::runtime {

// Decides what follows from exits, and keeps the order of starts. Called within manager calls; may call the manager.
class ProcessOwner {
 public:
  virtual ~ProcessOwner() = default;
  // The process is waiting, without a pid. Must end in restart_after, hold, finish or fail for it.
  virtual void on_exit_decided(const ProcessHandle& process, const ExitRecord& exit,
                               const RestartDecision& decision) = 0;
  // It was stopped to be started again at once (an operator's restart, or a start during a stop). False: it is held
  // instead, because it is part of something larger that is being stopped; the owner begins it then.
  virtual bool may_restart_now(const ProcessHandle& process) = 0;
  virtual void on_process_ready(const ProcessHandle& process) = 0;
  // Nothing of it runs and nothing is under way for it: terminated, error, or held.
  virtual void on_process_down(const ProcessHandle& process) = 0;
  // A process that the manager does not know, of an earlier configuration, has exited.
  virtual void on_stranger_exited(const ProcessId& id) { (void)id; }
  // Its restarts count no more: an operator asked for a fresh start, or the owner did by forget_restarts.
  virtual void on_history_reset(const ProcessHandle& process) { (void)process; }
};

// What a successor is told about one process: its label, and what the keeper has of it.
struct AdoptedProcess {
  struct Child {
    std::uint64_t generation = 0;
    pid_t pid = 0;
    MonotonicTime started{};
    // Set: it exited meanwhile.
    struct Exit {
      ExitStatus status;
      Duration run_time{0};
      ResourceUsage usage;
    };
    std::optional<Exit> exit;
  };
  std::optional<ProcessLabel> label;  // absent: none was saved, or it could not be read
  std::optional<Child> child;         // absent: the keeper has none
};

class ProcessManager {
 public:
  using Completion = std::function<void(Status)>;  // called once, also from within the call
  static constexpr std::size_t kMaxWaiters = 64;
  static constexpr Duration kKillBound = std::chrono::seconds(10);
  static constexpr Duration kMaxExtension = std::chrono::hours(24);
  static constexpr Duration kCheckRetry = std::chrono::seconds(5);  // for a health check that could not be made

  // All outlive the manager.
  struct Services {
    event::Loop& loop;
    ProcessLauncher& launcher;
    RestartPolicyFactory& policies;
    HealthCheckFactory& checks;
    ProcessHooks& hooks;
    RuntimeObserver& observer;
  };

  explicit ProcessManager(Services services);
  ProcessManager(const ProcessManager&) = delete;
  ~ProcessManager();

  void set_owner(ProcessOwner* owner) noexcept { owner_ = owner; }

  // ---- the set of processes ----
  // Adds a process that is not to run yet. errc::already_exists for a known id, invalid_argument for an empty id or
  // argv.
  Status add(std::shared_ptr<const ProcessConfig> config, std::string supervisor, std::uint32_t stop_rank = 0);
  // A new configuration for a known process. What concerns the host alone (restart policy, health checks, stop,
  // readiness timeout) holds at once; what the process is started with holds from its next start on. Returns whether
  // that changed (start_digest), or, of a process in error, anything that may have brought it there. False for an
  // unknown id.
  bool configure(std::shared_ptr<const ProcessConfig> config, std::string supervisor, std::uint32_t stop_rank);
  // The start_digest that what runs of it was started with; empty: nothing runs.
  std::optional<std::uint64_t> started_with(std::string_view id) const;
  // It runs with a start_digest other than its configuration's: only a restart brings what changed.
  bool outdated(std::string_view id) const;
  // It is outdated, and was paused since its configuration changed: it goes on as it was.
  bool passed_over(std::string_view id) const;
  // It is being stopped to be begun by its owner afterwards.
  bool stops_to_be_held(std::string_view id) const;
  // Forgets a process of which nothing runs. errc::wrong_state otherwise.
  Status remove(std::string_view id);
  // Takes over from a former engine, once per process, after add and before anything else. Nothing is restarted that
  // runs, and no observer is told; a readiness deadline is moved by the time since `engine_lost`, a restart delay and a
  // stop under way are not. A spawn that the former engine was about to ask for is asked for. An exit that happened
  // meanwhile is left to the caller, who delivers it by on_exited when all processes have been adopted. Returns whether
  // the process is left waiting for begin (new, or held).
  bool adopt(std::string_view id, const AdoptedProcess& adopted, MonotonicTime engine_lost);
  // The opaque part of the label; saved with the next change and at the end of this call. errc::exhausted over
  // ProcessLabel::kMaxExtra.
  Status set_extra(std::string_view id, std::string extra);
  const std::string& extra(std::string_view id) const;  // empty for an unknown process

  const ProcessHandle* find(std::string_view id) const;  // null: unknown
  ProcessStatus status(std::string_view id) const;       // terminated for an unknown process
  std::vector<const ProcessHandle*> list() const;        // in order of id
  void for_each(const std::function<void(const ProcessHandle&)>& visit) const;
  std::size_t size() const noexcept { return processes_.size(); }
  // How many have the status now; O(1).
  std::size_t count(ProcessStatus status) const noexcept { return counts_[static_cast<std::size_t>(status)]; }
  // One for each health check of its config, in that order.
  struct Check {
    const HealthConfig& config;
    const HealthMonitor* monitor;  // null: it was never made
    std::string_view problem;      // why it cannot be made; empty: it can, or the process was not started yet
    bool waits_for_startup;        // it begins when the startup checks have succeeded
  };
  std::vector<Check> checks(std::string_view id) const;

  // ---- what an operator asks for; `done` when the result is reached or cannot be any more ----
  // At most kMaxWaiters wait for the start of one process; those who wait for its end are as many as ask (the tree
  // bounds them), because what is stopped after it must not be told that it is gone while it runs.
  void start(std::string_view id, Completion done);    // ready, or failed and why; clears the restart history
  void stop_process(std::string_view id, Completion done, const std::string& why = "stopped by the operator");
  // Its turn in a stop of several comes later: until stop_process nothing of it is started any more, whatever was under
  // way. A paused process is left as it is, because only its resume starts it.
  void mark_down(std::string_view id);
  // Its turn in a restart of several comes later: it is wanted from now on, unless a stop or a pause takes that back. A
  // pause ends; what does not run waits for begin().
  void mark_up(std::string_view id, std::string reason);
  void restart(std::string_view id, Completion done);  // of what does not run: a start
  void pause(std::string_view id, Completion done);
  void resume(std::string_view id, Completion done);
  void kill(std::string_view id, int signal_number, Completion done);  // to the process; done when it was sent

  // ---- what the owner asks for ----
  // As start, but only prepares: the process waits, with the reason, for begin().
  void prepare_start(std::string_view id, std::string reason, Completion done);
  void wait_for(std::string_view id, std::string reason);  // only of a waiting process: a new reason
  void begin(std::string_view id);                         // spawns a process that waits or has ended now
  void tell_starters(std::string_view id, Status result);  // those who wait for its start need not wait any longer
  // Stops it (draining where that applies) for later; on_process_down when it is held. What has ended stays ended.
  void hold(std::string_view id, std::string reason);
  // Stops it for good as part of the host's end; what the operator wants of it is left as it is.
  void shut_down(std::string_view id, Completion done);
  // From here on nothing is spawned any more: restart delays that run are withdrawn, what would start is held. For the
  // host's end; there is no way back.
  void end_starts();
  // SIGKILL to everything that still runs, without drain or grace.
  void kill_all();
  // Answers to on_exit_decided.
  void restart_after(std::string_view id, Duration delay, RestartNotice notice);
  void restart_when_told(std::string_view id, RestartNotice notice);  // counted as a restart, but held for begin()
  void finish(std::string_view id, std::string reason);
  void fail(std::string_view id, std::string reason);
  // A fresh start, as after an operator's: back-off, window and the policy's memory begin anew; the total stays.
  void forget_restarts(std::string_view id);
  // The restarts of the process, for the label; the owner keeps them (RestartWindow).
  void set_window(std::string_view id, std::vector<MonotonicTime> restarts);
  const std::vector<MonotonicTime>& window(std::string_view id) const;  // empty for an unknown process

  // ---- what integration tells ----
  void on_spawned(std::string_view id, std::uint64_t generation, pid_t pid);
  void on_spawn_failed(std::string_view id, std::uint64_t generation, std::string_view stage, int error_number,
                       std::string_view message = {});
  void on_exited(std::string_view id, std::uint64_t generation, const ExitStatus& status, Duration run_time,
                 const ResourceUsage& usage);
  // What a process says of itself, by event or sd_notify(3). All are ignored for another generation, and in a phase in
  // which they mean nothing. process_notify.cpp
  void notify_ready(std::string_view id, std::uint64_t generation);  // also: it has reloaded
  void notify_reloading(std::string_view id, std::uint64_t generation);
  // It ends by itself: no new deliveries, no signal; its grace runs, then SIGKILL. Its policy judges the exit.
  void notify_stopping(std::string_view id, std::uint64_t generation);
  // The process that was started has ended, and another one of its family goes on as it.
  void on_handed_over(std::string_view id, std::uint64_t generation, pid_t pid);
  // It needs longer for what it is at: its readiness or its end is due in `more` from now, at most kMaxExtension, unless it
  // is due later anyway. A stop of the whole host keeps its own bound.
  void extend_deadline(std::string_view id, std::uint64_t generation, Duration more);
  // What runs of it cannot be talked to any more and must give way to a new incarnation, by the host's fault: SIGKILL,
  // without drain or grace, and a start at once that counts against nothing. What is wanted of it stands: a stop under
  // way goes on (without a drain, which needs the channel), a paused process is started by its resume, its restart
  // history stays.
  void replace(std::string_view id, std::string reason);
  // What it writes to its channel cannot be followed any more, by its own fault: SIGKILL, then its restart policy
  // decides. Ignored for another generation, and while it is stopping.
  void cut_off(std::string_view id, std::uint64_t generation, std::string reason);
  void set_in_flight(std::string_view id, std::uint32_t count);
  void set_worker_status(std::string_view id, std::string_view text);

 private:
  struct Process;
  class Scope;
  struct IdHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const noexcept { return std::hash<std::string_view>{}(id); }
  };
  void set_phase(Process& process, ProcessPhase phase, std::string reason);
  void refresh_status(Process& process);
  void place(Process& process, ProcessPhase phase);
  void touch(Process& process);
  void flush() noexcept;
  void save(Process& process);

  void spawn(Process& process);
  struct Request;
  void send(const Request& request);
  void cannot_spawn(Process& process, const std::string& why);
  void became_ready(Process& process);
  void ended(Process& process, ExitRecord exit);
  void ask_policy(Process& process, const ExitRecord& exit, std::optional<RestartDecision> decided = {});
  RestartDecision decide(Process& process, const ExitRecord& exit);
  Result<std::shared_ptr<RestartPolicy>> policy_of(const Process& process);
  void retry_spawn(Process& process, const std::string& shortage);
  void count_restart(Process& process, const RestartNotice& notice);
  void terminate(Process& process, std::string reason, const Status& for_starters);

  void stop(Process& process, AfterStop after, std::string reason, bool drain = true);
  void drain(Process& process, Duration limit);
  void drained(std::string_view id, std::uint64_t generation);
  void send_stop_signal(Process& process);
  void send_kill(Process& process);
  void stopped(Process& process, const ExitRecord& exit);
  void held(Process& process);
  void signal_group(Process& process, int signal_number);
  void restart_now(Process& process);

  void set_due(Process& process, Duration delay);
  void set_due_at(Process& process, MonotonicTime due);
  void clear_due(Process& process);
  void deadline(Process& process);

  void signal_again(Process& process);
  void adopt_label(Process& process, const ProcessLabel& label);
  bool adopt_without_child(Process& process, const ProcessLabel* label);
  void adopt_child(Process& process, const ProcessLabel* label, const AdoptedProcess::Child& child,
                   MonotonicTime engine_lost);

  void await_ready(Process& process, Duration left);
  void start_monitors(Process& process, MonotonicTime as_of);
  Status start_monitor(Process& process, std::size_t index, MonotonicTime as_of);
  void retry_monitors(Process& process);
  std::string missing_check(const Process& process) const;  // a sentence; empty: all can be made
  bool waits_for_checks(const Process& process) const;      // the host could not make the last of one without an answer
  void stop_monitors(Process& process) noexcept;
  void renew_monitors(Process& process);
  void send_stop_plan(Process& process);
  void health_answered(Process& process, HealthMonitor& monitor, bool changed);
  void begin_health(Process& process);  // of a new incarnation
  bool has_readiness(const Process& process) const noexcept;
  bool is_wanted(const Process& process, std::size_t index) const noexcept;
  bool is_well(const Process& process) const;
  bool passed_startup(Process& process, HealthMonitor& monitor);
  void refresh_health(Process& process);
  void refresh_readiness(Process& process);
  std::string doubt_of(const Process& process, std::size_t index) const;
  void set_not_ready(Process& process, std::string text);

  void add_start_waiter(Process& process, Completion done);
  void add_stop_waiter(Process& process, Completion done);
  void settle(Process& process, std::vector<Completion> Process::*list, const Status& result);
  void answer(Completion done, Status result);
  void reset_history(Process& process);

  Process* get(std::string_view id) const;
  Process* get(std::string_view id, std::uint64_t generation) const;  // null for another generation too
  MonotonicTime now() const noexcept { return services_.loop.clock().monotonic(); }

  Services services_;
  ProcessOwner* owner_ = nullptr;
  Random random_;
  std::unordered_map<std::string, std::unique_ptr<Process>, IdHash, std::equal_to<>> processes_;
  std::array<std::size_t, 7> counts_{};
  bool starts_ended_ = false;
  std::unordered_map<std::string, std::weak_ptr<RestartPolicy>> policies_;  // by name and config

  std::uint32_t depth_ = 0;  // of nested calls; what follows is done when the outermost ends, in this order
  std::vector<Process*> dirty_;  // each once: its label is to be saved
  // What the launcher is asked when they are saved: to spawn, or to signal the group.
  struct Request {
    ProcessId id;
    std::uint64_t generation;
    int signal_number;  // 0: to spawn
  };
  std::vector<Request> requests_;
  struct Forgotten {
    ProcessId id;
    std::uint64_t generation;
  };
  std::vector<Forgotten> to_forget_;
  std::vector<std::pair<Completion, Status>> answers_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // for callbacks that may outlive the manager
};

}  // namespace tenon::runtime
