// A new configuration for a tree that is at work.
#include <algorithm>

#include "runtime/supervision_runs.hpp"

namespace tenon::runtime {

// What of the tree as it was goes over into the new one, or tells what is to be done.
struct SupervisionTree::Former {
  std::vector<ProcessId> order;
  std::shared_ptr<const DependencyGraph> graph;
  std::vector<ProcessId> ready;    // what released its dependents
  std::vector<ProcessId> waiting;  // to be begun when what they depend on is ready, or their supervisor's stop is over
  TreeAdoption labels;             // of the supervisors
  std::unordered_map<std::string, std::uint32_t> restarts;  // of the supervisors
};

namespace {

// Waits for its supervisor, not for a time.
bool waits_to_begin(const ProcessHandle& process) {
  return process.phase == ProcessPhase::waiting && process.due == MonotonicTime{} &&
         process.desired != Desired::down;
}

}  // namespace

Status SupervisionTree::may_reload(const SupervisorConfig& root) const {
  if (shutting_down_) return Error(errc::cancelled, "the host is stopping; start it again first");
  Status result;
  for_each_process(root, [&](const std::shared_ptr<const ProcessConfig>& process) {
    if (!leaving_.contains(process->id)) return;
    result = Error(errc::wrong_state, process->id + " was removed and has not ended yet; try again when it has, or "
                                                    "`tenon kill` it");
  });
  return result;
}

Status SupervisionTree::reload(const SupervisorConfig& root, std::function<void(const ProcessId&)> removed,
                               VerbDone done) {
  TENON_TRY(may_reload(root));
  auto graph = DependencyGraph::build(root);
  if (!graph) return std::move(graph).error();
  const Former former = put_aside();
  graph_ = std::make_shared<const DependencyGraph>(std::move(graph).value());
  removed_ = std::move(removed);

  const std::vector<ProcessId> fresh = configure_processes(root);
  starts_ = StartSequencer(*graph_);
  root_ = build(root, nullptr, 0);
  take_back(former, fresh);

  std::vector<ProcessId> gone;
  for (const ProcessId& id : former.order) {
    if (!place_of(id)) gone.push_back(id);
  }
  for (const ProcessId& id : fresh) {
    if (!gone.empty()) manager_.wait_for(id, "waiting for what was removed from the configuration to end");
  }
  remove_processes(former, gone, [this, fresh, done = std::move(done)](std::vector<VerbOutcome> outcomes) {
    // The operator, a later reload or its own restart may have done meanwhile what was to be done.
    std::vector<ProcessId> wanted;
    for (const ProcessId& id : fresh) {
      const ProcessHandle* const process = manager_.find(id);
      const bool is_wanted = process && place_of(id) && process->desired == Desired::up;
      if (is_wanted && !runs_as_configured(*process)) wanted.push_back(id);
    }
    apply(Verb::restart, wanted, 0, [done, outcomes = std::move(outcomes)](std::vector<VerbOutcome> started) {
      started.insert(started.begin(), outcomes.begin(), outcomes.end());
      if (done) done(std::move(started));
    });
  });
  return {};
}

SupervisionTree::Former SupervisionTree::put_aside() {
  Former former;
  former.graph = graph_;
  former.order = std::exchange(order_, {});
  for (const ProcessId& id : former.order) {
    if (starts_.is_ready(graph_->process(id))) former.ready.push_back(id);
    if (!in_held_run(id) && waits_to_begin(*manager_.find(id))) former.waiting.push_back(id);
  }
  for (const auto& [id, supervisor] : supervisors_) {
    former.labels.supervisors.emplace(id, label_of(*supervisor));
    former.restarts.emplace(id, supervisor->restarts);
  }
  places_.clear(), bases_.clear(), supervisors_.clear();
  root_.reset();
  return former;
}

// Returns, in list order, those that have to be started, or restarted because of what changed.
std::vector<ProcessId> SupervisionTree::configure_processes(const SupervisorConfig& config) {
  std::vector<ProcessId> fresh;
  for (const ChildConfig& child : config.children) {
    if (const auto* nested = std::get_if<std::shared_ptr<const SupervisorConfig>>(&child)) {
      const std::vector<ProcessId> below = configure_processes(**nested);
      fresh.insert(fresh.end(), below.begin(), below.end());
      continue;
    }
    const auto& process = std::get<std::shared_ptr<const ProcessConfig>>(child);
    const std::uint32_t rank = graph_->rank(graph_->process(process->id));
    order_.push_back(process->id);
    if (!manager_.find(process->id)) {
      (void)manager_.add(process, config.id, rank);  // the graph has checked the ids
      fresh.push_back(process->id);
    } else if (const bool changed = manager_.configure(process, config.id, rank);
               restarts_when_changed(*manager_.find(process->id), changed)) {
      fresh.push_back(process->id);
    }
  }
  return fresh;
}

// What the operator stopped or paused stays so. What does not run, be it in error or in a long back-off, begins anew
// once it was mended.
bool SupervisionTree::restarts_when_changed(const ProcessHandle& process, bool changed) const {
  if (process.desired != Desired::up) return false;
  return manager_.outdated(process.id()) || (changed && !may_have_pid(process.phase));
}

bool SupervisionTree::runs_as_configured(const ProcessHandle& process) const {
  return may_have_pid(process.phase) && !is_stopping(process.phase) && !manager_.outdated(process.id());
}

// As a successor takes over, but for the processes, which the manager never gave away.
void SupervisionTree::take_back(const Former& former, const std::vector<ProcessId>& fresh) {
  for (const ProcessId& id : former.ready) {
    if (const Node node = graph_->process(id); node != DependencyGraph::kNone) (void)starts_.mark_ready(node);
  }
  adopt_supervisors(former.labels);
  for (const auto& [id, count] : former.restarts) {
    if (const auto found = supervisors_.find(id); found != supervisors_.end()) found->second->restarts = count;
  }
  restore_windows(*root_);
  for (const auto& [id, label] : former.labels.supervisors) {
    if (!supervisors_.contains(id)) launcher_.drop_label(std::string(kSupervisorKeyPrefix) + id);
  }
  const std::unordered_set<std::string> begun_later(fresh.begin(), fresh.end());
  std::vector<ProcessId> waiting;
  for (const ProcessId& id : former.waiting) {
    if (place_of(id) && !begun_later.contains(id)) waiting.push_back(id);
  }
  resume_operations(*root_, waiting);
  withdraw_stopped(nodes_of(waiting));
  start_in_order(waiting);
  // Of an operation that the new tree does not go on with: its supervisor, or what that restarts, is another one now.
  std::vector<ProcessId> stranded = held_by_nobody();
  std::erase_if(stranded, [&](const ProcessId& id) {
    return manager_.find(id)->desired != Desired::up || in_held_run(id);
  });
  apply(Verb::restart, stranded, 0, {});
}

// In the order of the tree that they belonged to.
void SupervisionTree::remove_processes(const Former& former, const std::vector<ProcessId>& ids,
                                       std::function<void(std::vector<VerbOutcome>)> done) {
  if (ids.empty()) return done({});
  leaving_.insert(ids.begin(), ids.end());
  const auto outcomes = std::make_shared<std::vector<VerbOutcome>>();
  stop_in_order(
      former.graph, ids, "removed from the configuration",
      [this, outcomes](const ProcessId& id, Status status) {
        if (!manager_.find(id)) status = {};  // it ended by itself before its turn
        const bool gone = status.ok();
        outcomes->push_back({id, std::move(status)});
        if (gone) forget_removed(id);
      },
      [outcomes, done = std::move(done)] { done(std::move(*outcomes)); });
}

// One that did not die in time is forgotten when it does.
void SupervisionTree::forget_removed(const ProcessId& id) {
  if (!leaving_.contains(id) || !manager_.remove(id)) return;
  leaving_.erase(id);
  if (removed_) removed_(id);
}

}  // namespace tenon::runtime
