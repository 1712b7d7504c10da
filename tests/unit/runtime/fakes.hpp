// The world around the runtime, as fakes: a keeper that survives engines, policies and checks that answer as told,
// and an observer that writes down what it sees.
#pragma once

#include <cerrno>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "event/fake_loop.hpp"
#include "runtime/restart_backoff.hpp"
#include "runtime/supervision_tree.hpp"

namespace tenon::runtime::test {

using namespace std::chrono_literals;

// Plays the keeper. Spawns succeed, and signals that end processes do so, in the next turn of the loop.
class FakeKeeper final : public ProcessLauncher {
 public:
  struct Child {
    std::uint64_t generation = 0;
    pid_t pid = 0;
    MonotonicTime started{};
    bool frozen = false;
    std::optional<ExitStatus> exit;
  };

  explicit FakeKeeper(event::FakeLoop& loop) : loop_(loop) {}

  Status spawn(const ProcessConfig& config, std::uint64_t generation, const StopPlan& stop) override {
    log.push_back("spawn " + config.id);
    const auto label = ProcessLabel::decode(labels[config.id]);
    EXPECT_TRUE(label && label->generation == generation) << config.id << ": what is spawned must be known to a successor";
    ranks[config.id] = stop.rank;
    if (lose_spawns) return {};
    if (refuse_spawns) return Error(errc::exhausted, "the link is full");
    if (const auto failure = spawn_errors.find(config.id); failure != spawn_errors.end()) {
      loop_.post([this, id = config.id, generation, code = failure->second] {
        if (manager) manager->on_spawn_failed(id, generation, "exec", code);
      });
      return {};
    }
    EXPECT_FALSE(runs(config.id)) << config.id << " was started twice";
    children[config.id] = Child{generation, ++next_pid_, loop_.clock().monotonic()};
    if (answer_spawns) loop_.post([this, id = config.id] { tell_spawned(id); });
    return {};
  }
  void tell_spawned(const std::string& id) {
    const Child& child = children[id];
    if (manager) manager->on_spawned(id, child.generation, child.pid);
  }
  Status signal(const ProcessId& id, std::uint64_t generation, int signal_number, bool) override {
    if (on_signal) on_signal();
    const auto found = children.find(id);
    if (lose_signals || found == children.end() || found->second.generation != generation) return {};
    Child& child = found->second;
    if (child.exit) return Error(errc::not_found, id + " has exited");
    log.push_back("signal " + id + " " + signal_name(signal_number));
    if (signal_number == SIGSTOP) child.frozen = true;
    if (signal_number == SIGCONT) child.frozen = false;
    const bool deadly = signal_number == SIGKILL || (!child.frozen && !ignores_term.contains(id) &&
                                                     (signal_number == SIGTERM || signal_number == SIGINT));
    if (deadly && !immortal.contains(id)) exit(id, {0, signal_number});
    return {};
  }
  Status set_stop_plan(const ProcessId& id, std::uint64_t, const StopPlan& stop) override {
    ranks[id] = stop.rank;
    return {};
  }
  void forget(const ProcessId& id, std::uint64_t generation) override {
    const auto found = children.find(id);
    if (lose_forgets) return;
    if (found != children.end() && found->second.generation == generation) children.erase(found);
    forgotten.push_back(id);
  }
  void save_label(std::string_view key, std::string bytes) override { labels[std::string(key)] = std::move(bytes); }
  void drop_label(std::string_view key) override { labels.erase(std::string(key)); }

  // The process ends; the manager hears of it in the next turn, if there is one.
  void exit(const std::string& id, ExitStatus status) {
    Child& child = children.at(id);
    if (child.exit) return;
    child.exit = status;
    loop_.post([this, id, generation = child.generation] {
      const auto found = children.find(id);
      if (!manager || found == children.end() || found->second.generation != generation) return;
      manager->on_exited(id, generation, *found->second.exit, loop_.clock().monotonic() - found->second.started, {});
    });
  }
  bool runs(const std::string& id) const { return children.contains(id) && !children.at(id).exit; }
  bool frozen(const std::string& id) const { return children.at(id).frozen; }
  std::uint64_t generation(const std::string& id) const { return children.at(id).generation; }

  ProcessManager* manager = nullptr;
  std::map<std::string, Child> children;
  std::map<std::string, std::string> labels;
  std::map<std::string, int> spawn_errors;
  std::map<std::string, std::uint32_t> ranks;
  std::set<std::string> ignores_term, immortal;
  std::vector<std::string> log, forgotten;
  bool answer_spawns = true;
  bool refuse_spawns = false;
  bool lose_spawns = false, lose_signals = false;  // as if the engine died before
  bool lose_forgets = false;
  std::function<void()> on_signal;  // before it is sent

 private:
  event::FakeLoop& loop_;
  pid_t next_pid_ = 100;
};

// "always" (at once, then 100 ms, 200 ms …), "on_failure", "never", "escalate", and two that misbehave: "fails" and
// "nonsense". Others do not exist.
class FakePolicies final : public RestartPolicyFactory {
 public:
  class Policy final : public RestartPolicy {
   public:
    Policy(FakePolicies& owner, std::string name) : owner_(owner), name_(std::move(name)) {}
    Result<RestartDecision> decide(const ExitInfo& exit) override {
      owner_.asked.push_back(exit);
      const bool success = exit.ended == EndCause::code && exit.value == 0;
      RestartDecision decision;
      decision.memory = exit.memory;
      decision.text = owner_.text;
      ++decision.memory[0];
      if (name_ == "fails") return Error(errc::internal, "out of ideas", fault::plugin);
      if (name_ == "nonsense") decision.delay = -1s;
      if (name_ == "escalate") decision.action = RestartAction::escalate;
      if (name_ == "on_failure" && success) decision.action = RestartAction::finished;
      if (name_ == "never") decision.action = success ? RestartAction::finished : RestartAction::give_up;
      if (name_ == "always" || name_ == "on_failure") {
        decision.reset = exit.run_time >= 60s;
        decision.delay = backoff_delay({100ms, 2.0, 30s, 0.0}, decision.reset ? 0 : exit.consecutive, 0);
      }
      if (name_ == "forever") decision.delay = std::chrono::hours(1000);
      return decision;
    }
    void on_ready(Duration, PolicyMemory& memory) override { memory[1] = 1; }

   private:
    FakePolicies& owner_;
    std::string name_;
  };

  Result<std::unique_ptr<RestartPolicy>> make(const std::string& name, const std::string&) override {
    ++made;
    if (name == "missing") return Error(errc::not_found, "no plugin offers restart_policy/missing");
    return std::unique_ptr<RestartPolicy>(std::make_unique<Policy>(*this, name));
  }
  int made = 0;
  std::string text;  // that all give with their decisions
  std::vector<ExitInfo> asked;
};

// Checks that answer when the test says so, or at once with `automatic`.
class FakeChecks final : public HealthCheckFactory {
 public:
  class Check final : public HealthCheck {
   public:
    Check(FakeChecks& owner, ProcessId process, std::string name)
        : owner_(owner), process_(std::move(process)), name_(std::move(name)) {
      owner_.live[process_] = this;
    }
    ~Check() override { owner_.live.erase(process_); }
    Status start(const HealthTarget& target) override {
      ++owner_.starts;
      started_for = target;
      return owner_.start_result;
    }
    void check(MonotonicTime, Completion done) override {
      ++owner_.asked[process_];
      ++owner_.asked_by_name[name_];
      EXPECT_FALSE(under_way) << "two checks of one instance at once";
      if (owner_.refusal) return done(*owner_.refusal);
      if (const auto at = owner_.by_name.find(name_); at != owner_.by_name.end()) {
        return done(HealthAnswer{at->second, Duration(0)});
      }
      if (owner_.automatic) return done(HealthAnswer{*owner_.automatic, Duration(0)});
      under_way = true;
      pending = std::move(done);
    }
    bool waits_for_host() const noexcept override { return owner_.host_is_busy; }
    void cancel() noexcept override { ++owner_.cancels, under_way = false; }
    void stop() noexcept override { ++owner_.stops; }
    void answer(HealthState state, std::string reason = "") {
      under_way = false;
      pending(HealthAnswer{{state, std::move(reason)}, Duration(0)});
    }
    bool under_way = false;
    Completion pending;
    HealthTarget started_for;

   private:
    FakeChecks& owner_;
    ProcessId process_;
    std::string name_;
  };

  Result<std::unique_ptr<HealthCheck>> make(const ProcessId& process, const std::string& check,
                                            const std::string&) override {
    if (check == "missing" && !has_missing) return Error(errc::not_found, "no plugin offers health_check/missing");
    return std::unique_ptr<HealthCheck>(std::make_unique<Check>(*this, process, check));
  }
  std::map<std::string, Check*> live;
  std::map<std::string, int> asked;
  std::map<std::string, int> asked_by_name;  // of the check
  std::optional<HealthStatus> automatic;
  std::map<std::string, HealthStatus> by_name;  // as `automatic`, for all checks of the name
  std::optional<Error> refusal;  // instead of an answer
  bool host_is_busy = false;
  bool has_missing = false;  // the check "missing" can be made after all
  Status start_result;
  int starts = 0, stops = 0, cancels = 0;
};

class FakeHooks final : public ProcessHooks {
 public:
  void begin_drain(const ProcessId& id, MonotonicTime, std::function<void()> done) override {
    log.push_back("drain " + id);
    if (drains_at_once) return done();
    pending[id] = std::move(done);
  }
  void send_shutdown(const ProcessId& id) override { log.push_back("shutdown " + id); }
  bool drains_at_once = true;
  std::map<std::string, std::function<void()>> pending;
  std::vector<std::string> log;
};

class RecordingObserver final : public RuntimeObserver {
 public:
  void on_status_changed(const ProcessHandle& process, ProcessStatus old) override {
    log.push_back(process.id() + ": " + std::string(to_string(old)) + " -> " + std::string(to_string(process.status)));
    EXPECT_NE(old, process.status);
  }
  void on_starting(const ProcessHandle& process) override { events.push_back("starting " + process.id()); }
  void on_ready(const ProcessHandle& process) override { events.push_back("ready " + process.id()); }
  void on_exited(const ProcessHandle& process, const ExitRecord& exit) override {
    events.push_back("exited " + process.id() + ": " + to_string(exit));
  }
  void on_restarting(const ProcessHandle& process, const RestartNotice& notice) override {
    events.push_back("restarting " + process.id());
    notices.push_back(notice);
  }
  void on_failed(const ProcessHandle& process) override { events.push_back("failed " + process.id()); }
  void on_stopped(const ProcessHandle& process) override { events.push_back("stopped " + process.id()); }
  void on_health_changed(const ProcessHandle& process, const HealthChange& change) override {
    events.push_back("health " + process.id() + " " + std::string(to_string(change.now.state)));
    health_ready.push_back(process.is_ready());
  }
  void on_policy_misbehaved(const ProcessHandle&, const std::string& component, const Error&) override {
    misbehaved.push_back(component);
  }
  void on_supervisor_escalated(const std::string& id, const std::string&) override {
    events.push_back("escalated " + id);
  }
  void on_supervisor_stopped(const std::string& id, const std::string&) override {
    events.push_back("supervisor stopped " + id);
  }
  void on_host_must_end(int code, const std::string& reason) override { host_end = code, host_end_reason = reason; }

  std::vector<std::string> log, events, misbehaved;
  std::vector<RestartNotice> notices;
  std::vector<bool> health_ready;  // whether the process was ready, for each change of its health
  std::optional<int> host_end;
  std::string host_end_reason;
};

inline std::shared_ptr<ProcessConfig> process(std::string id) {
  auto config = std::make_shared<ProcessConfig>();
  config->id = config->base_id = std::move(id);
  config->argv = {"/bin/worker"};
  config->stop = {SIGTERM, 2s, 5s};
  return config;
}
inline std::shared_ptr<ProcessConfig> process(std::string id, std::vector<std::string> depends_on) {
  auto config = process(std::move(id));
  config->depends_on = std::move(depends_on);
  return config;
}

inline SupervisorConfig root_of(std::vector<ChildConfig> children, Strategy strategy = Strategy::one_for_one,
                                OnLimit on_limit = OnLimit::fail_child) {
  SupervisorConfig root;
  root.id = "root";
  root.strategy = strategy;
  root.on_limit = on_limit;
  root.children = std::move(children);
  return root;
}
inline std::shared_ptr<SupervisorConfig> nested(std::string id, std::vector<ChildConfig> children,
                                                Strategy strategy = Strategy::one_for_one) {
  auto config = std::make_shared<SupervisorConfig>(root_of(std::move(children), strategy, OnLimit::escalate));
  config->id = std::move(id);
  return config;
}

// An engine's runtime over a keeper; `crash` ends the engine and starts another.
struct World {
  World() { boot(); }
  ~World() { end(); }

  void boot() {
    manager = std::make_unique<ProcessManager>(
        ProcessManager::Services{loop, keeper, policies, checks, hooks, observer});
    tree = std::make_unique<SupervisionTree>(loop, *manager, keeper, observer);
    keeper.manager = manager.get();
  }
  void end() {
    keeper.manager = nullptr;
    tree.reset();
    manager.reset();
  }
  void load(SupervisorConfig root) {
    loaded_config = std::move(root);
    const Status loaded = tree->load(loaded_config);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  }
  void start(SupervisorConfig root) {
    load(std::move(root));
    tree->start();
    turn();
  }
  void turn() { loop.run_posted(); }
  void advance(Duration by) { loop.advance(by); }

  // kill -9 of the engine; the next one comes after `gap`. What happens to processes meanwhile is done by `meanwhile`.
  template <class Meanwhile>
  std::vector<std::string> crash(Duration gap, Meanwhile meanwhile) {
    const MonotonicTime lost = loop.clock().monotonic();
    end();
    meanwhile();
    loop.manual_clock().advance(gap);
    loop.run_posted();
    observer.log.clear(), observer.events.clear();
    keeper.log.clear();
    boot();
    EXPECT_TRUE(tree->load(loaded_config).ok());
    TreeAdoption adoption;
    adoption.engine_lost = lost;
    for (const auto& [key, bytes] : keeper.labels) {
      if (key.starts_with(kSupervisorKeyPrefix)) {
        auto label = SupervisorLabel::decode(bytes);
        EXPECT_TRUE(label.ok());
        adoption.supervisors[label->id] = *label;
      } else {
        auto label = ProcessLabel::decode(bytes);
        EXPECT_TRUE(label.ok());
        adoption.processes[key].label = *label;
      }
    }
    for (const auto& [id, child] : keeper.children) {
      AdoptedProcess::Child adopted{child.generation, child.pid, child.started, std::nullopt};
      if (child.exit) adopted.exit = AdoptedProcess::Child::Exit{*child.exit, 1s, {}};
      adoption.processes[id].child = adopted;
    }
    auto unknown = tree->adopt(adoption);
    turn();
    return unknown;
  }
  std::vector<std::string> crash(Duration gap = 1s) {
    return crash(gap, [] {});
  }

  void exit(const std::string& id, int code) {
    keeper.exit(id, {code, 0});
    turn();
  }
  void kill(const std::string& id, int signal_number = SIGKILL) {
    keeper.exit(id, {0, signal_number});
    turn();
  }
  const ProcessHandle& operator[](const std::string& id) const { return *manager->find(id); }
  ProcessStatus status(const std::string& id) const { return manager->status(id); }

  // Asks and keeps the answer.
  struct Answer {
    std::shared_ptr<std::optional<Status>> status = std::make_shared<std::optional<Status>>();
    ProcessManager::Completion take() const {
      return [status = status](Status s) {
        EXPECT_FALSE(status->has_value()) << "answered twice";
        *status = std::move(s);
      };
    }
    bool answered() const { return status->has_value(); }
    bool ok() const { return answered() && (*status)->ok(); }
    errc code() const { return answered() && !(*status)->ok() ? (*status)->error().code : errc::ok; }
    std::string text() const { return answered() && !(*status)->ok() ? (*status)->error().message : ""; }
  };
  struct VerbAnswer {
    std::shared_ptr<std::optional<std::vector<VerbOutcome>>> outcomes =
        std::make_shared<std::optional<std::vector<VerbOutcome>>>();
    SupervisionTree::VerbDone take() const {
      return [outcomes = outcomes](std::vector<VerbOutcome> all) {
        EXPECT_FALSE(outcomes->has_value()) << "answered twice";
        *outcomes = std::move(all);
      };
    }
    bool answered() const { return outcomes->has_value(); }
    bool all_ok() const {
      if (!answered()) return false;
      for (const VerbOutcome& outcome : **outcomes) {
        if (!outcome.status.ok()) return false;
      }
      return true;
    }
  };
  VerbAnswer apply(Verb verb, const std::string& selector, int signal_number = 0) {
    VerbAnswer answer;
    auto ids = tree->resolve(selector);
    EXPECT_TRUE(ids.ok());
    if (ids) tree->apply(verb, *ids, signal_number, answer.take());
    turn();
    return answer;
  }

  event::FakeLoop loop;
  FakeKeeper keeper{loop};
  FakePolicies policies;
  FakeChecks checks;
  FakeHooks hooks;
  RecordingObserver observer;
  SupervisorConfig loaded_config;
  std::unique_ptr<ProcessManager> manager;
  std::unique_ptr<SupervisionTree> tree;
};

}  // namespace tenon::runtime::test
