// The operator's verbs on sets of processes, and the end of everything.
#include <algorithm>

#include "runtime/supervision_runs.hpp"

namespace tenon::runtime {

std::string_view to_string(Verb verb) noexcept {
  switch (verb) {
    case Verb::start: return "start";
    case Verb::stop: return "stop";
    case Verb::restart: return "restart";
    case Verb::pause: return "pause";
    case Verb::resume: return "resume";
    case Verb::kill: return "kill";
  }
  return "unknown";
}

void SupervisionTree::apply(Verb verb, const std::vector<ProcessId>& ids, int signal_number, VerbDone done) {
  if (ids.empty()) {
    if (done) done({});
    return;
  }
  const bool too_many = static_cast<std::size_t>(verbs_.use_count()) > kMaxVerbs;
  const auto run = std::make_shared<VerbRun>(ids.size(), std::move(done), verbs_);
  if (too_many) {
    for (const ProcessId& id : ids) {
      run->add(id, Error(errc::exhausted, std::to_string(kMaxVerbs) + " requests about processes are under way; try "
                                                                      "again when some have ended"));
    }
    return;
  }
  if (shutting_down_ && verb != Verb::kill && verb != Verb::stop) {
    for (const ProcessId& id : ids) run->add(id, Error(errc::cancelled, "the host is stopping; start it again first"));
    return;
  }
  if (verb != Verb::kill) {
    const auto leaves = std::find_if(ids.begin(), ids.end(), [&](const ProcessId& id) { return !place_of(id); });
    if (leaves != ids.end()) {
      const Error leaving(errc::wrong_state, *leaves + " was removed from the configuration and is ending; `tenon "
                                                       "kill` it if that takes too long");
      for (const ProcessId& id : ids) run->add(id, leaving);
      return;
    }
  }
  switch (verb) {
    case Verb::start: return apply_start(ids, run);
    case Verb::stop: return apply_stop(ids, run);
    case Verb::restart: return apply_restart(ids, run);
    case Verb::pause:
      for (const ProcessId& id : ids) manager_.pause(id, VerbRun::collect(run, id));
      return;
    case Verb::resume:
      for (const ProcessId& id : ids) manager_.resume(id, VerbRun::collect(run, id));
      return;
    case Verb::kill:
      for (const ProcessId& id : ids) manager_.kill(id, signal_number, VerbRun::collect(run, id));
      return;
  }
}

// A supervisor that had given up, or had stopped, is at work again as soon as one of its processes is wanted.
void SupervisionTree::wake_supervisors(const ProcessId& id) {
  const Place* const place = place_of(id);
  for (Supervisor* each = place ? place->supervisor : nullptr; each; each = each->parent) {
    if (each->state != SupervisorState::failed && each->state != SupervisorState::stopped) continue;
    each->state = SupervisorState::running;
    each->window.clear();
    each->reason.clear();
    save(*each);
  }
}

void SupervisionTree::apply_start(const std::vector<ProcessId>& ids, const std::shared_ptr<VerbRun>& run) {
  std::vector<Node> nodes;
  for (const ProcessId& id : ids) {
    wake_supervisors(id);
    manager_.prepare_start(id, "starting", VerbRun::collect(run, id));
    const ProcessHandle* const process = manager_.find(id);
    if (Supervisor* stopping = stopping_ancestor(id)) {
      // Started together with the others once all are gone, also if it was not to be before.
      auto& later = stopping->to_start;
      if (std::find(later.begin(), later.end(), id) == later.end()) later.push_back(id);
    } else if (process && process->phase == ProcessPhase::waiting && !process->paused()) {
      nodes.push_back(graph_->process(id));
    }
  }
  withdraw_stopped(nodes);
  const std::vector<Node> free = starts_.want(nodes);
  for (const Node node : nodes) {
    if (!starts_.is_wanted(node)) continue;
    manager_.wait_for(graph_->name(node), "waiting for " + starts_.waits_for(node));
    if (const std::string blocker = blocked_by(node); !blocker.empty()) {
      manager_.tell_starters(graph_->name(node), Error(errc::wrong_state, graph_->name(node) + " waits for " + blocker +
                                                                             ", which does not run; start that first"));
    }
  }
  for (const Node node : free) manager_.begin(graph_->name(node));
}

void SupervisionTree::apply_stop(const std::vector<ProcessId>& ids, const std::shared_ptr<VerbRun>& verb) {
  stop_in_order(graph_, ids, "stopped by the operator",
                [verb](const ProcessId& id, Status status) { verb->add(id, std::move(status)); }, {});
}

void SupervisionTree::stop_in_order(const std::shared_ptr<const DependencyGraph>& graph,
                                    const std::vector<ProcessId>& ids, const std::string& why,
                                    std::function<void(const ProcessId&, Status)> each, std::function<void()> done) {
  // All of them before the first is stopped: what is restarted meanwhile must not come up before its turn to go.
  for (const ProcessId& id : ids) manager_.mark_down(id);
  std::vector<Node> nodes;
  for (const ProcessId& id : ids) nodes.push_back(graph->process(id));
  const auto run = std::make_shared<StopRun>(graph, nodes);
  run->stop_one = [this, why, each = std::move(each), weak = std::weak_ptr<StopRun>(run)](Node node) {
    const std::shared_ptr<StopRun> stop = weak.lock();
    manager_.stop_process(
        stop->name(node),
        [this, node, stop, each](Status status) {
          if (each) each(stop->name(node), std::move(status));
          stop_next(stop, stop->sequence.gone(node));
        },
        why);
  };
  run->done = std::move(done);
  stop_next(run, run->sequence.begin());
}

void SupervisionTree::apply_restart(const std::vector<ProcessId>& ids, const std::shared_ptr<VerbRun>& verb) {
  if (ids.size() == 1) {
    if (stopping_ancestor(ids.front())) {  // it is being restarted already
      manager_.resume(ids.front(), {});
      return apply_start(ids, verb);
    }
    // What does not run is started as `start` does it: behind what it depends on.
    const ProcessHandle* const process = manager_.find(ids.front());
    if (process && !process->paused() && (is_ended(process->phase) || process->phase == ProcessPhase::waiting))
      return apply_start(ids, verb);
    wake_supervisors(ids.front());
    return manager_.restart(ids.front(), VerbRun::collect(verb, ids.front()));
  }
  // All are stopped in reverse order, then started in order. Held, not stopped: should the engine die in between, its
  // successor starts them.
  for (const ProcessId& id : ids) manager_.mark_up(id, "restarted by the operator");
  const auto run = std::make_shared<StopRun>(graph_, nodes_of(ids));
  run->stop_one = [this, weak = std::weak_ptr<StopRun>(run)](Node node) {
    const std::shared_ptr<StopRun> stop = weak.lock();
    const ProcessId& id = stop->name(node);
    if (manager_.find(id)) return manager_.hold(id, "restarted by the operator");
    stop_next(stop, stop->sequence.gone(node));  // a reload has removed it meanwhile
  };
  run->done = [this, verb, ids, weak = std::weak_ptr<StopRun>(run)] {
    std::erase(held_runs_, weak.lock());
    std::vector<ProcessId> wanted, paused;
    for (const ProcessId& id : ids) {
      const ProcessHandle* const process = manager_.find(id);
      if (process && process->desired == Desired::up) {
        wanted.push_back(id);
        continue;
      }
      if (process && process->paused()) paused.push_back(id);
      verb->add(id, Error(errc::cancelled, id + " was stopped or paused before it was started again"));
    }
    apply_start(wanted, verb);
    for (const ProcessId& id : paused) {
      manager_.begin(id);  // its resume starts it
      if (const Node node = graph_->process(id); node != DependencyGraph::kNone) starts_.withdraw(node);
    }
  };
  held_runs_.push_back(run);
  stop_next(run, run->sequence.begin());
}

// Asks the next ones to stop. What is down already answers within the call; the queue keeps that from recursing.
void SupervisionTree::stop_next(const std::shared_ptr<StopRun>& run, std::vector<Node> freed) {
  run->queue.insert(run->queue.end(), freed.begin(), freed.end());
  if (run->working) return;
  run->working = true;
  for (std::size_t i = 0; i < run->queue.size(); ++i) run->stop_one(run->queue[i]);
  run->queue.clear();
  run->working = false;
  if (run->sequence.done() && run->done) std::exchange(run->done, nullptr)();
}

bool SupervisionTree::may_restart_now(const ProcessHandle& process) {
  return !shutting_down_ && !in_held_run(process.id()) && !stopping_ancestor(process.id());
}

bool SupervisionTree::in_held_run(const ProcessId& id) const {
  return std::any_of(held_runs_.begin(), held_runs_.end(), [&](const auto& run) { return run->contains(id); });
}

void SupervisionTree::run_held(const ProcessId& id) {
  const auto runs = held_runs_;  // finishing one takes it out of the list
  for (const auto& run : runs) {
    if (run->contains(id)) stop_next(run, run->sequence.gone(run->graph->process(id)));
  }
}

// ---- the end ----

void SupervisionTree::stop_all(Duration bound, std::function<void(Status)> done) {
  if (done) shutdown_done_.push_back(std::move(done));
  const MonotonicTime due = loop_.clock().monotonic() + bound;
  const bool first = !std::exchange(shutting_down_, true);
  if (first || due < shutdown_due_) {
    shutdown_due_ = due;
    shutdown_timer_ = loop_.after(bound, [this] { manager_.kill_all(); });
  }
  if (!first) return;
  held_runs_.clear();
  if (root_) cancel_operation(*root_, true);
  manager_.end_starts();  // the last in the order may be asked to stop long after a restart delay of its ends
  const auto run = std::make_shared<StopRun>(graph_, nodes_of(order_));
  run->stop_one = [this, weak = std::weak_ptr<StopRun>(run)](Node node) {
    const std::shared_ptr<StopRun> stop = weak.lock();
    manager_.shut_down(stop->name(node), [this, node, stop](Status status) {
      if (!status && shutdown_result_.ok()) shutdown_result_ = std::move(status);
      stop_next(stop, stop->sequence.gone(node));
    });
  };
  run->done = [this] { finish_shutdown(); };
  stop_next(run, run->sequence.begin());
}

void SupervisionTree::finish_shutdown() {
  shutdown_timer_.reset();
  for (auto& [id, each] : supervisors_) {
    if (each->state != SupervisorState::failed) each->state = SupervisorState::stopped;
  }
  for (const auto& done : std::exchange(shutdown_done_, {})) done(shutdown_result_);
}

}  // namespace tenon::runtime
