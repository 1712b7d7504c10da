// Taking over the tree from a former engine.
#include <algorithm>

#include "runtime/supervision_tree.hpp"

namespace tenon::runtime {

std::vector<std::string> SupervisionTree::adopt(const TreeAdoption& former) {
  std::vector<std::string> unknown;
  for (const auto& [id, process] : former.processes) {
    if (place_of(id)) continue;
    unknown.push_back(id);
    // A process that gets this id later must not be taken for it.
    launcher_.drop_label(id);
    if (process.child && !process.child->exit) leaving_.insert(id);
  }
  std::sort(unknown.begin(), unknown.end());

  std::vector<ProcessId> waiting;
  static const AdoptedProcess nothing;
  for (const ProcessId& id : order_) {
    const auto found = former.processes.find(id);
    const AdoptedProcess& left = found == former.processes.end() ? nothing : found->second;
    if (manager_.adopt(id, left, former.engine_lost)) waiting.push_back(id);
    const ProcessHandle& process = *manager_.find(id);
    if (process.ready != MonotonicTime{}) (void)starts_.mark_ready(graph_->process(id));
  }
  if (!root_) return unknown;
  adopt_supervisors(former);
  restore_windows(*root_);
  resume_operations(*root_, waiting);
  withdraw_stopped(nodes_of(waiting));
  start_in_order(waiting);
  std::vector<ProcessId> to_restart = held_by_nobody();

  // Exits last: what follows from one may concern processes all over the tree.
  for (const ProcessId& id : order_) {
    const auto found = former.processes.find(id);
    if (found == former.processes.end() || !found->second.child || !found->second.child->exit) continue;
    const AdoptedProcess::Child& child = *found->second.child;
    manager_.on_exited(id, child.generation, child.exit->status, child.exit->run_time, child.exit->usage);
  }
  finish_stops();
  restart_again(std::move(to_restart));
  return unknown;
}

// Members of a restart of several that the former engine had begun: no supervisor's operation will begin them.
std::vector<ProcessId> SupervisionTree::held_by_nobody() const {
  std::vector<ProcessId> ids;
  for (const ProcessId& id : order_) {
    if (manager_.stops_to_be_held(id) && !stopping_ancestor(id)) ids.push_back(id);
  }
  return ids;
}

// Those, and what a new configuration has changed and the former engine had not restarted yet. What that found paused
// goes on as it was, resumed or not.
void SupervisionTree::restart_again(std::vector<ProcessId> ids) {
  for (const ProcessId& id : order_) {
    if (!manager_.outdated(id) || manager_.passed_over(id)) continue;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  std::erase_if(ids, [&](const ProcessId& id) { return manager_.find(id)->desired != Desired::up; });
  apply(Verb::restart, ids, 0, {});
}

// A stop of several that was under way goes on, for nobody who waits: those whose turn had not come still run.
void SupervisionTree::finish_stops() {
  std::vector<ProcessId> ids;
  for (const ProcessId& id : order_) {
    const ProcessHandle& process = *manager_.find(id);
    if (process.desired == Desired::down && !is_ended(process.phase)) ids.push_back(id);
  }
  apply(Verb::stop, ids, 0, {});
}

void SupervisionTree::adopt_supervisors(const TreeAdoption& former) {
  for (auto& [id, supervisor] : supervisors_) {
    const auto found = former.supervisors.find(id);
    if (found == former.supervisors.end()) continue;
    const SupervisorLabel& label = found->second;
    supervisor->reason = label.reason;
    supervisor->due = label.due;
    if (supervisor->parent) supervisor->parent->children[supervisor->index].window.restore(label.failures);
    switch (label.state) {
      case SupervisorLabel::State::running: supervisor->state = SupervisorState::running; break;
      case SupervisorLabel::State::restarting: supervisor->state = SupervisorState::restarting; break;
      case SupervisorLabel::State::escalating: supervisor->state = SupervisorState::escalating; break;
      case SupervisorLabel::State::failed: supervisor->state = SupervisorState::failed; break;
      case SupervisorLabel::State::stopped: supervisor->state = SupervisorState::stopped; break;
    }
  }
}

// A shared window is the union of what the children's labels say.
void SupervisionTree::restore_windows(Supervisor& supervisor) {
  std::vector<MonotonicTime> all;
  for (Supervisor::Child& child : supervisor.children) {
    if (child.is_process()) {
      child.window.restore(manager_.window(child.process));
    } else {
      restore_windows(*child.supervisor);
    }
    all.insert(all.end(), child.window.times().begin(), child.window.times().end());
  }
  if (window_is_shared(supervisor.rules)) supervisor.window.restore(std::move(all));
}

// A group restart or escalation that was under way is begun again: members that are down are held at once, those that
// were about to be stopped are stopped. Takes the members out of `waiting`.
void SupervisionTree::resume_operations(Supervisor& supervisor, std::vector<ProcessId>& waiting) {
  const SupervisorState state = supervisor.state;
  if (state != SupervisorState::restarting && state != SupervisorState::escalating) {
    for (Supervisor::Child& child : supervisor.children) {
      if (!child.is_process()) resume_operations(*child.supervisor, waiting);
    }
    return;
  }
  std::vector<ProcessId> members;
  collect(supervisor, members);
  auto take_over = [&](const std::vector<ProcessId>& ids) {
    std::erase_if(waiting, [&](const ProcessId& id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); });
  };
  if (state == SupervisorState::escalating) {
    take_over(members);
    return stop_members(supervisor, members);
  }
  // The first child of which something is down or being stopped tells how far the restart reaches.
  const auto count = static_cast<std::uint32_t>(supervisor.children.size());
  std::uint32_t first = 0;
  for (; first < count; ++first) {
    std::vector<ProcessId> ids;
    collect(supervisor.children[first], ids);
    if (std::any_of(ids.begin(), ids.end(), [&](const ProcessId& id) {
          const ProcessHandle& process = *manager_.find(id);
          return process.phase == ProcessPhase::waiting || is_stopping(process.phase);
        })) {
      break;
    }
  }
  const MonotonicTime due = supervisor.due;
  if (first == count) return cancel_operation(supervisor, false);
  const AffectedRange range = affected_by(supervisor.rules.strategy, first, count);
  const std::vector<ChildState> states = child_states(supervisor);
  SupervisionPlan plan;
  plan.delay = std::max(due - loop_.clock().monotonic(), Duration::zero());
  for (std::uint32_t i = range.first; i < range.last; ++i) {
    if (i < states.size() && states[i].excluded) continue;
    plan.start.push_back(i);
    std::vector<ProcessId> ids;
    collect(supervisor.children[i], ids);
    take_over(ids);
  }
  if (plan.start.empty()) return cancel_operation(supervisor, false);
  restart_group(supervisor, plan);
}

}  // namespace tenon::runtime
