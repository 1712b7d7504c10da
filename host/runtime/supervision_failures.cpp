// What follows from failures: restarts by strategy, group restarts, escalation.
#include <algorithm>

#include "runtime/supervision_tree.hpp"

namespace tenon::runtime {

std::string_view to_string(SupervisorState state) noexcept {
  switch (state) {
    case SupervisorState::running: return "running";
    case SupervisorState::restarting: return "restarting";
    case SupervisorState::escalating: return "escalating";
    case SupervisorState::failed: return "failed";
    case SupervisorState::stopped: return "stopped";
  }
  return "unknown";
}

RestartWindow& SupervisionTree::window_of(Supervisor& supervisor, std::uint32_t child) {
  return window_is_shared(supervisor.rules) ? supervisor.window : supervisor.children[child].window;
}

std::vector<ChildState> SupervisionTree::child_states(const Supervisor& supervisor) const {
  // One for one never looks at the siblings, however many there are.
  if (supervisor.rules.strategy == Strategy::one_for_one) return {};
  std::vector<ChildState> states;
  states.reserve(supervisor.children.size());
  for (const Supervisor::Child& child : supervisor.children) {
    if (!child.is_process()) {
      const SupervisorState state = child.supervisor->state;
      states.push_back({true, state == SupervisorState::failed || state == SupervisorState::stopped});
      continue;
    }
    const ProcessHandle& process = *manager_.find(child.process);
    states.push_back({!is_ended(process.phase),
                      process.desired == Desired::down || process.phase == ProcessPhase::error});
  }
  return states;
}

// The nearest supervisor above that is stopping this process as part of something larger.
Supervisor* SupervisionTree::stopping_ancestor(std::string_view id) const {
  const Place* const place = place_of(id);
  const Node node = graph_->process(id);
  for (Supervisor* each = place ? place->supervisor : nullptr; each; each = each->parent) {
    if (each->stops && each->stops->contains(node)) return each;
  }
  return nullptr;
}

void SupervisionTree::on_history_reset(const ProcessHandle& process) {
  if (const Place* place = place_of(process.id())) place->supervisor->children[place->index].window.clear();
}

void SupervisionTree::on_exit_decided(const ProcessHandle& process, const ExitRecord& exit,
                                      const RestartDecision& decision) {
  const ProcessId& id = process.id();
  const Place* const place = place_of(id);
  // What the policy would have done is not what happens now, so its text is left out.
  if (shutting_down_) return manager_.finish(id, to_string(exit) + ", not restarted: the host stops");
  if (!place) return manager_.finish(id, to_string(exit) + ", not restarted: removed from the configuration");
  // It ended before its turn in a stop of several had come.
  if (process.desired == Desired::down) {
    return manager_.finish(id, to_string(exit) + ", not restarted: stopped by the operator");
  }
  if (const Supervisor* stopping = stopping_ancestor(id)) return manager_.hold(id, stopping->reason);
  Supervisor& supervisor = *place->supervisor;
  const MonotonicTime now = loop_.clock().monotonic();
  const SupervisionEvent event{place->index, decision.action, decision.delay};
  const SupervisionPlan plan =
      plan_exit(supervisor.rules, window_of(supervisor, place->index), child_states(supervisor), event, now);
  carry_out(supervisor, place->index, plan, plan.limit_reached ? to_string(exit) : reason_of(exit, decision));
}

void SupervisionTree::carry_out(Supervisor& supervisor, std::uint32_t index, const SupervisionPlan& plan,
                                const std::string& cause) {
  using Action = SupervisionPlan::Action;
  Supervisor::Child& child = supervisor.children[index];
  const Intensity& intensity = supervisor.rules.intensity;
  const std::string reason = plan.limit_reached ? limit_reason(intensity, cause) : cause;
  switch (plan.action) {
    case Action::finish:
      manager_.finish(child.process, reason);
      return child_ended(supervisor, index, reason, 0);
    case Action::fail_child:
      child.is_process() ? manager_.fail(child.process, reason) : fail_supervisor(*child.supervisor, reason);
      return child_ended(supervisor, index, reason, 1);
    case Action::escalate: return escalate(supervisor, child.id() + ": " + reason);
    case Action::restart: break;
  }
  const RestartNotice notice{plan.delay, cause, plan.attempt, intensity.restarts, intensity.period};
  const bool alone = plan.stop.empty() && plan.start.size() == 1;
  if (window_is_shared(supervisor.rules)) {
    // The shared window is what counts; the child's own part of it is what its label keeps for a successor.
    (void)child.window.admit({UINT32_MAX, intensity.period}, loop_.clock().monotonic());
  }
  if (child.is_process()) {
    manager_.set_window(child.process, child.window.times());
    if (alone) return manager_.restart_after(child.process, plan.delay, notice);
    manager_.restart_when_told(child.process, notice);
  } else {
    save(*child.supervisor);
    if (alone) {
      revive(*child.supervisor);
      std::vector<ProcessId> members;
      collect(*child.supervisor, members);
      return start_in_order(members);
    }
  }
  supervisor.reason = "restarted together with " + child.id() + ": " + cause;
  restart_group(supervisor, plan);
}

// A supervisor that had given up begins anew, with all under it.
void SupervisionTree::revive(Supervisor& supervisor) {
  cancel_operation(supervisor, false);
  supervisor.window.clear();
  supervisor.reason.clear();
  ++supervisor.restarts;
  for (Supervisor::Child& child : supervisor.children) {
    child.window.clear();
    if (child.is_process()) {
      manager_.forget_restarts(child.process);
    } else {
      revive(*child.supervisor);
    }
  }
  save(supervisor);
}

void SupervisionTree::cancel_operation(Supervisor& supervisor, bool with_nested) {
  supervisor.stops.reset();
  supervisor.to_hold.clear();
  supervisor.to_start.clear();
  supervisor.timer.reset();
  supervisor.due = {};
  supervisor.state = SupervisorState::running;
  if (!with_nested) return;
  for (Supervisor::Child& child : supervisor.children) {
    if (!child.is_process()) cancel_operation(*child.supervisor, true);
  }
}

// ---- group restart ----

void SupervisionTree::restart_group(Supervisor& supervisor, const SupervisionPlan& plan) {
  std::string reason = std::move(supervisor.reason);
  cancel_operation(supervisor, false);
  supervisor.state = SupervisorState::restarting;
  supervisor.reason = std::move(reason);
  supervisor.due = loop_.clock().monotonic() + plan.delay;
  std::vector<ProcessId> members;
  for (const std::uint32_t index : plan.start) {
    Supervisor::Child& child = supervisor.children[index];
    if (!child.is_process()) revive(*child.supervisor);
    collect(child, supervisor.to_start);
  }
  // All that the strategy reaches, not only what runs: the order leads through those that are down as well.
  const auto count = static_cast<std::uint32_t>(supervisor.children.size());
  const AffectedRange range = affected_by(supervisor.rules.strategy, plan.start.front(), count);
  for (std::uint32_t index = range.first; index < range.last; ++index) collect(supervisor.children[index], members);
  save(supervisor);
  stop_members(supervisor, members);
}

void SupervisionTree::stop_members(Supervisor& supervisor, const std::vector<ProcessId>& ids) {
  std::vector<Node> nodes = nodes_of(ids);
  std::sort(nodes.begin(), nodes.end());  // list order; the sequence begins at its end
  supervisor.stops.emplace(*graph_, nodes);
  supervisor.to_hold = supervisor.stops->begin();
  hold_next(supervisor);
}

// Holding may at once bring down what does not run, and so free the next: worked off here without recursion.
void SupervisionTree::hold_next(Supervisor& supervisor) {
  if (supervisor.holding) return;
  supervisor.holding = true;
  for (std::size_t i = 0; i < supervisor.to_hold.size(); ++i) {
    manager_.hold(graph_->name(supervisor.to_hold[i]), supervisor.reason);
  }
  supervisor.to_hold.clear();
  supervisor.holding = false;
  if (supervisor.stops && supervisor.stops->done()) continue_group(supervisor);
}

void SupervisionTree::on_process_down(const ProcessHandle& process) {
  const ProcessId id = process.id();
  if (leaving_.contains(id)) {
    // In a turn of its own: the manager is still at work on it.
    loop_.post([this, id, alive = std::weak_ptr<int>(verbs_)] {
      if (!alive.expired()) forget_removed(id);
    });
  }
  const Node node = graph_->process(id);
  if (node == DependencyGraph::kNone) return run_held(id);
  starts_.unwant(node);
  if (Supervisor* stopping = stopping_ancestor(id)) {
    for (const Node next : stopping->stops->gone(node)) stopping->to_hold.push_back(next);
    hold_next(*stopping);
  }
  run_held(id);
}

// All that had to go are gone.
void SupervisionTree::continue_group(Supervisor& supervisor) {
  supervisor.stops.reset();
  if (supervisor.state == SupervisorState::escalating) return escalated(supervisor);
  if (supervisor.state != SupervisorState::restarting) return;
  const Duration left = supervisor.due - loop_.clock().monotonic();
  if (left > Duration::zero()) {
    supervisor.timer = loop_.after(left, [this, &supervisor] { continue_group(supervisor); });
    return;
  }
  const std::vector<ProcessId> members = std::move(supervisor.to_start);
  cancel_operation(supervisor, false);
  supervisor.reason.clear();
  save(supervisor);
  start_in_order(members);
}

// ---- escalation ----

void SupervisionTree::escalate(Supervisor& supervisor, const std::string& reason) {
  const bool told_before = !supervisor.parent && supervisor.state == SupervisorState::failed;
  cancel_operation(supervisor, true);
  supervisor.reason = reason;
  supervisor.state = supervisor.parent ? SupervisorState::escalating : SupervisorState::failed;
  save(supervisor);
  if (!told_before) observer_.on_supervisor_escalated(supervisor.id, reason);
  std::vector<ProcessId> members;
  collect(supervisor, members);
  if (supervisor.parent) return stop_members(supervisor, members);
  // The failed process must not be left between two states while the host ends.
  for (const ProcessId& id : members) {
    const ProcessHandle& process = *manager_.find(id);
    if (process.phase == ProcessPhase::waiting && !process.pid && process.due == MonotonicTime{} &&
        !starts_.is_wanted(graph_->process(id))) {
      manager_.fail(id, reason);
    }
  }
  if (!told_before) observer_.on_host_must_end(1, supervisor.id + " gave up: " + reason);
}

void SupervisionTree::escalated(Supervisor& supervisor) {
  Supervisor& parent = *supervisor.parent;
  const MonotonicTime now = loop_.clock().monotonic();
  const SupervisionPlan plan =
      plan_exit(parent.rules, window_of(parent, supervisor.index), child_states(parent),
                {supervisor.index, RestartAction::restart, Duration::zero()}, now);
  carry_out(parent, supervisor.index, plan, supervisor.id + " gave up: " + supervisor.reason);
}

void SupervisionTree::fail_supervisor(Supervisor& supervisor, const std::string& reason) {
  cancel_operation(supervisor, true);
  supervisor.state = SupervisorState::failed;
  supervisor.reason = reason;
  save(supervisor);
  std::vector<ProcessId> members;
  collect(supervisor, members);
  for (const ProcessId& id : members) {
    if (manager_.find(id)->desired != Desired::down) manager_.fail(id, reason);
  }
  observer_.on_supervisor_stopped(supervisor.id, reason);
}

// ---- auto_shutdown ----

bool SupervisionTree::has_ended(const Supervisor::Child& child) const {
  if (child.is_process()) return is_ended(manager_.find(child.process)->phase);
  return child.supervisor->state == SupervisorState::failed || child.supervisor->state == SupervisorState::stopped;
}

// For good and by itself. `exit_code`: the host's, should it be the reason for its end.
void SupervisionTree::child_ended(Supervisor& supervisor, std::uint32_t index, const std::string& reason,
                                  int exit_code) {
  const Supervisor::Child& ended = supervisor.children[index];
  if (!ended.significant || shutting_down_) return;
  const bool others_live = std::any_of(supervisor.children.begin(), supervisor.children.end(), [&](const auto& child) {
    return child.significant && &child != &ended && !has_ended(child);
  });
  if (!stops_with_child(supervisor.rules.auto_shutdown, others_live)) return;
  shut_down(supervisor, ended.id() + ", which is significant, ended: " + reason, exit_code);
}

// Its children stop in order, for good: only the operator starts them again. Then it has ended itself.
void SupervisionTree::shut_down(Supervisor& supervisor, const std::string& reason, int exit_code) {
  cancel_operation(supervisor, true);
  supervisor.state = SupervisorState::stopped;
  supervisor.reason = reason;
  save(supervisor);
  if (!supervisor.parent) return observer_.on_host_must_end(exit_code, reason);
  observer_.on_supervisor_stopped(supervisor.id, reason);
  std::vector<ProcessId> members;
  collect(supervisor, members);
  std::erase_if(members, [&](const ProcessId& id) { return is_ended(manager_.find(id)->phase); });
  stop_in_order(graph_, members, "stopped with its supervisor " + supervisor.id, {}, {});
  child_ended(*supervisor.parent, supervisor.index, supervisor.id + " stopped: " + reason, exit_code);
}

SupervisorLabel SupervisionTree::label_of(const Supervisor& supervisor) const {
  SupervisorLabel label;
  label.id = supervisor.id;
  switch (supervisor.state) {
    case SupervisorState::running: label.state = SupervisorLabel::State::running; break;
    case SupervisorState::stopped: label.state = SupervisorLabel::State::stopped; break;
    case SupervisorState::restarting: label.state = SupervisorLabel::State::restarting; break;
    case SupervisorState::escalating: label.state = SupervisorLabel::State::escalating; break;
    case SupervisorState::failed: label.state = SupervisorLabel::State::failed; break;
  }
  label.due = supervisor.due;
  if (supervisor.parent) label.failures = supervisor.parent->children[supervisor.index].window.times();
  label.reason = supervisor.reason;
  return label;
}

void SupervisionTree::save(const Supervisor& supervisor) {
  launcher_.save_label(std::string(kSupervisorKeyPrefix) + supervisor.id, label_of(supervisor).encode());
}

}  // namespace tenon::runtime
