// The supervision tree: starts everything in order, restarts by strategy, gives up by intensity, stops in reverse, and
// is what a person's selectors and verbs are addressed to.
//
// The model. The tree owns the Supervisors and decides; the ProcessManager does. When a process has ended and its
// policy has spoken, its supervisor's plan (strategy.hpp) says whether it is restarted (alone, or with its siblings
// stopped and started in order), becomes `error`, or takes the supervisor with it. An escalating supervisor stops its
// children and counts as one failure at its parent, which restarts it as a whole, makes it failed (its processes then
// are in error) or escalates itself; at the root the host must end. What the operator stopped is never started by a
// restart of siblings; what is in error only by a restart of its whole supervisor or by the operator.
//
// Readiness is what releases dependents, and holds for the whole run: a dependency that dies later restarts nobody and
// holds up no restart. Only what an operator starts waits for what an operator stopped.
//
// A reload builds the tree anew beside the processes, which the manager keeps, and hands its own state over as a
// successor gets it from the labels: there is one way to take over, not two.
//
// All [loop]. An exit under one_for_one costs O(1) in the number of children.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "event/loop.hpp"
#include "runtime/dependency_graph.hpp"
#include "runtime/process_manager.hpp"
#include "runtime/start_sequencer.hpp"
#include "runtime/stop_sequence.hpp"
#include "runtime/supervisor.hpp"
#include "runtime/supervisor_config.hpp"

namespace tenon::runtime {

enum class Verb : std::uint8_t { start, stop, restart, pause, resume, kill };
std::string_view to_string(Verb verb) noexcept;

struct VerbOutcome {
  ProcessId id;
  Status status;
};

// Everything a former engine left, by id.
struct TreeAdoption {
  std::unordered_map<std::string, AdoptedProcess> processes;
  std::unordered_map<std::string, SupervisorLabel> supervisors;
  MonotonicTime engine_lost{};
};

class SupervisionTree final : private ProcessOwner {
 public:
  using VerbDone = std::function<void(std::vector<VerbOutcome>)>;
  static constexpr std::size_t kMaxVerbs = 1024;  // under way at once

  // All outlive the tree, and the tree becomes the manager's owner.
  SupervisionTree(event::Loop& loop, ProcessManager& manager, ProcessLauncher& launcher, RuntimeObserver& observer);
  SupervisionTree(const SupervisionTree&) = delete;
  ~SupervisionTree() override;

  // Once. Adds all processes to the manager and starts nothing. Errors as of DependencyGraph::check and
  // ProcessManager::add; the tree and the manager are then as empty as before.
  Status load(const SupervisorConfig& root);
  // Starts everything, each process after what it depends on is ready.
  void start();
  // Instead of start(), after a former engine: what runs goes on, what was under way is taken up, what is new is
  // started. Returns the ids in `former` that this tree does not have: their labels are dropped, and the caller stops
  // what runs of them.
  std::vector<std::string> adopt(const TreeAdoption& former);
  // A new configuration for a tree that is at work. Processes that are in both keep their pids, statuses, histories and
  // windows, unless their start_digest changed: then they are restarted. What is new is started, what is gone is
  // stopped and removed. Those that go are stopped first, in reverse order; when they are gone the changed and the new
  // ones are stopped and started together, in order. What the operator stopped or paused stays so, and gets its new
  // configuration when it is started again; what has ended, or is in error, and has changed begins anew.
  // `removed` is called for each process when the manager has forgotten it; `done` once with the outcome of all that
  // were stopped or started. An error leaves everything as it was: as of DependencyGraph::check; errc::wrong_state if a
  // process has the id of a removed one that still stops; errc::cancelled once the host stops. A second one may come
  // while the first still stops and starts: it finds what the first has done so far.
  Status may_reload(const SupervisorConfig& root) const;  // the errors of state that reload() would give
  Status reload(const SupervisorConfig& root, std::function<void(const ProcessId&)> removed, VerbDone done);
  // Stops everything in reverse order, for good. Past `bound` everything left gets SIGKILL. `done` with an error that
  // names what even that did not move. Then nothing is started any more. A second call only shortens the bound.
  void stop_all(Duration bound, std::function<void(Status)> done);

  // Process ids that a selector names, in list order: a process id, a base id, a supervisor id (all under it), or a
  // glob over these. errc::not_found, with the nearest name, if there are none.
  Result<std::vector<ProcessId>> resolve(std::string_view selector) const;
  Result<std::vector<ProcessId>> resolve(const std::vector<std::string>& selectors) const;  // each once
  // Applies the verb, in order where there is one (start, stop, restart), and reports when all have ended; errc::exhausted
  // for all when kMaxVerbs are under way. `ids` come from resolve(). `signal_number` only for kill.
  void apply(Verb verb, const std::vector<ProcessId>& ids, int signal_number, VerbDone done);

  // Says anew of everybody who waits for somebody whom that is, as it is now: other starts and stops change it, and tell
  // nobody. For those who are about to show it. Costs the edges of those who wait.
  void refresh_reasons();

  // For --until-idle, as far as the runtime knows: every process for which `must_end` is true has ended or is in error,
  // every other one is idle, paused, or has ended, nothing is due for a restart, and nothing waits for anything but a
  // dependency that will not become ready by itself.
  bool idle(const std::function<bool(const ProcessHandle&)>& must_end) const;
  bool any_in_error() const noexcept { return manager_.count(ProcessStatus::error) != 0; }

  const Supervisor* root() const noexcept { return root_.get(); }  // null before load()
  const Supervisor* supervisor(std::string_view id) const;         // null: unknown
  const DependencyGraph& graph() const noexcept { return *graph_; }

 private:
  using Node = DependencyGraph::Node;
  struct Place {
    Supervisor* supervisor = nullptr;
    std::uint32_t index = 0;  // in its list
  };
  struct VerbRun;
  struct StopRun;

  void on_exit_decided(const ProcessHandle& process, const ExitRecord& exit, const RestartDecision& decision) override;
  bool may_restart_now(const ProcessHandle& process) override;
  void on_process_ready(const ProcessHandle& process) override;
  void on_process_down(const ProcessHandle& process) override;
  void on_stranger_exited(const ProcessId& id) override { leaving_.erase(id); }
  void on_history_reset(const ProcessHandle& process) override;

  // tree
  std::unique_ptr<Supervisor> build(const SupervisorConfig& config, Supervisor* parent, std::uint32_t index);
  Status add_processes(const SupervisorConfig& config);
  void collect(const Supervisor& supervisor, std::vector<ProcessId>& out) const;
  void collect(const Supervisor::Child& child, std::vector<ProcessId>& out) const;
  std::vector<Node> nodes_of(const std::vector<ProcessId>& ids) const;
  const Place* place_of(std::string_view id) const;

  // starts
  void start_in_order(const std::vector<ProcessId>& ids);
  void withdraw_stopped(const std::vector<Node>& processes);
  bool is_blocked(Node process) const;
  std::string blocked_by(Node process) const;

  // failures
  void carry_out(Supervisor& supervisor, std::uint32_t child, const SupervisionPlan& plan, const std::string& cause);
  void restart_group(Supervisor& supervisor, const SupervisionPlan& plan);
  void stop_members(Supervisor& supervisor, const std::vector<ProcessId>& ids);
  void hold_next(Supervisor& supervisor);
  void continue_group(Supervisor& supervisor);
  void escalate(Supervisor& supervisor, const std::string& reason);
  void escalated(Supervisor& supervisor);
  void fail_supervisor(Supervisor& supervisor, const std::string& reason);
  bool has_ended(const Supervisor::Child& child) const;
  void child_ended(Supervisor& supervisor, std::uint32_t child, const std::string& reason, int exit_code);
  void shut_down(Supervisor& supervisor, const std::string& reason, int exit_code);
  void revive(Supervisor& supervisor);
  void cancel_operation(Supervisor& supervisor, bool with_nested);
  Supervisor* stopping_ancestor(std::string_view id) const;
  RestartWindow& window_of(Supervisor& supervisor, std::uint32_t child);
  std::vector<ChildState> child_states(const Supervisor& supervisor) const;
  SupervisorLabel label_of(const Supervisor& supervisor) const;
  void save(const Supervisor& supervisor);

  // adoption
  void adopt_supervisors(const TreeAdoption& former);
  void restore_windows(Supervisor& supervisor);
  void resume_operations(Supervisor& supervisor, std::vector<ProcessId>& waiting);
  void finish_stops();
  std::vector<ProcessId> held_by_nobody() const;
  void restart_again(std::vector<ProcessId> ids);

  // reload
  struct Former;
  Former put_aside();
  void take_back(const Former& former, const std::vector<ProcessId>& fresh);
  std::vector<ProcessId> configure_processes(const SupervisorConfig& config);
  void remove_processes(const Former& former, const std::vector<ProcessId>& ids,
                        std::function<void(std::vector<VerbOutcome>)> done);
  void forget_removed(const ProcessId& id);
  bool runs_as_configured(const ProcessHandle& process) const;
  bool restarts_when_changed(const ProcessHandle& process, bool changed) const;

  // verbs and the end
  bool in_held_run(const ProcessId& id) const;
  void run_held(const ProcessId& gone);
  // For good, by the order of that graph. `each` is told of every one, `done` when all are gone; both may be empty.
  void stop_in_order(const std::shared_ptr<const DependencyGraph>& graph, const std::vector<ProcessId>& ids,
                     const std::string& why, std::function<void(const ProcessId&, Status)> each,
                     std::function<void()> done);
  void stop_next(const std::shared_ptr<StopRun>& run, std::vector<Node> freed);
  void wake_supervisors(const ProcessId& id);
  void apply_start(const std::vector<ProcessId>& ids, const std::shared_ptr<VerbRun>& run);
  void apply_stop(const std::vector<ProcessId>& ids, const std::shared_ptr<VerbRun>& run);
  void apply_restart(const std::vector<ProcessId>& ids, const std::shared_ptr<VerbRun>& run);
  void finish_shutdown();

  event::Loop& loop_;
  ProcessManager& manager_;
  ProcessLauncher& launcher_;
  RuntimeObserver& observer_;
  std::unique_ptr<Supervisor> root_;
  std::shared_ptr<const DependencyGraph> graph_ = std::make_shared<const DependencyGraph>();
  StartSequencer starts_;
  std::vector<ProcessId> order_;                              // all processes in list order
  std::unordered_map<std::string, Place> places_;             // by process id
  std::unordered_map<std::string, Supervisor*> supervisors_;  // by id
  std::unordered_map<std::string, std::vector<ProcessId>> bases_;
  std::vector<std::shared_ptr<StopRun>> held_runs_;  // restarts of several, whose members go down by being held
  std::unordered_set<std::string> leaving_;  // removed from the configuration, and not gone yet
  std::function<void(const ProcessId&)> removed_;
  std::shared_ptr<int> verbs_ = std::make_shared<int>(0);  // shared by each VerbRun: how many there are
  bool shutting_down_ = false;
  Status shutdown_result_;
  event::Handle shutdown_timer_;
  MonotonicTime shutdown_due_{};
  std::vector<std::function<void(Status)>> shutdown_done_;
};

}  // namespace tenon::runtime
