// Building the tree, starting it, and what people ask about it. Failures are in supervision_failures.cpp, verbs and the
// end in supervision_verbs.cpp, taking over from a former engine in supervision_adoption.cpp, a new configuration in
// supervision_reload.cpp.
#include "runtime/supervision_tree.hpp"

#include <algorithm>
#include <unordered_set>

#include "common/text.hpp"
#include "runtime/supervision_runs.hpp"

namespace tenon::runtime {

SupervisionTree::SupervisionTree(event::Loop& loop, ProcessManager& manager, ProcessLauncher& launcher,
                                 RuntimeObserver& observer)
    : loop_(loop), manager_(manager), launcher_(launcher), observer_(observer) {
  manager_.set_owner(this);
}

SupervisionTree::~SupervisionTree() { manager_.set_owner(nullptr); }

// ---- building ----

Status SupervisionTree::load(const SupervisorConfig& root) {
  auto graph = DependencyGraph::build(root);
  if (!graph) return std::move(graph).error();
  graph_ = std::make_shared<const DependencyGraph>(std::move(graph).value());
  if (Status added = add_processes(root); !added) {
    for (const ProcessId& id : order_) (void)manager_.remove(id);  // nothing of them runs: cannot fail
    order_.clear();
    graph_ = std::make_shared<const DependencyGraph>();
    return added;
  }
  starts_ = StartSequencer(*graph_);
  root_ = build(root, nullptr, 0);
  return {};
}

Status SupervisionTree::add_processes(const SupervisorConfig& config) {
  for (const ChildConfig& child : config.children) {
    if (const auto* nested = std::get_if<std::shared_ptr<const SupervisorConfig>>(&child)) {
      TENON_TRY(add_processes(**nested));
      continue;
    }
    const auto& process = std::get<std::shared_ptr<const ProcessConfig>>(child);
    TENON_TRY(manager_.add(process, config.id, graph_->rank(graph_->process(process->id))));
    order_.push_back(process->id);
  }
  return {};
}

std::unique_ptr<Supervisor> SupervisionTree::build(const SupervisorConfig& config, Supervisor* parent,
                                                   std::uint32_t index) {
  auto supervisor = std::make_unique<Supervisor>();
  supervisor->id = config.id;
  supervisor->parent = parent;
  supervisor->index = index;
  supervisor->rules = {config.strategy, config.intensity, config.on_limit, config.auto_shutdown};
  supervisors_.emplace(config.id, supervisor.get());
  supervisor->children.reserve(config.children.size());
  for (const ChildConfig& child : config.children) {
    const auto place = static_cast<std::uint32_t>(supervisor->children.size());
    Supervisor::Child& made = supervisor->children.emplace_back();
    if (const auto* nested = std::get_if<std::shared_ptr<const SupervisorConfig>>(&child)) {
      made.supervisor = build(**nested, supervisor.get(), place);
      made.significant = (*nested)->significant;
      continue;
    }
    const ProcessConfig& process = *std::get<std::shared_ptr<const ProcessConfig>>(child);
    made.process = process.id;
    made.significant = process.significant;
    places_.emplace(process.id, Place{supervisor.get(), place});
    if (process.base_id != process.id && !process.base_id.empty()) bases_[process.base_id].push_back(process.id);
  }
  return supervisor;
}

void SupervisionTree::collect(const Supervisor& supervisor, std::vector<ProcessId>& out) const {
  for (const Supervisor::Child& child : supervisor.children) collect(child, out);
}

void SupervisionTree::collect(const Supervisor::Child& child, std::vector<ProcessId>& out) const {
  child.is_process() ? out.push_back(child.process) : collect(*child.supervisor, out);
}

std::vector<SupervisionTree::Node> SupervisionTree::nodes_of(const std::vector<ProcessId>& ids) const {
  std::vector<Node> nodes;
  nodes.reserve(ids.size());
  for (const ProcessId& id : ids) {
    if (const Node node = graph_->process(id); node != DependencyGraph::kNone) nodes.push_back(node);
  }
  return nodes;
}

const SupervisionTree::Place* SupervisionTree::place_of(std::string_view id) const {
  const auto found = places_.find(std::string(id));
  return found == places_.end() ? nullptr : &found->second;
}

// ---- starting ----

void SupervisionTree::start() { start_in_order(order_); }

void SupervisionTree::start_in_order(const std::vector<ProcessId>& ids) {
  if (shutting_down_) return;
  std::vector<Node> nodes;
  for (const ProcessId& id : ids) {
    const ProcessHandle* const process = manager_.find(id);
    if (!process || process->desired == Desired::down || may_have_pid(process->phase)) continue;
    nodes.push_back(graph_->process(id));
  }
  const std::vector<Node> free = starts_.want(nodes);
  for (const Node node : nodes) {
    if (starts_.is_wanted(node)) manager_.wait_for(graph_->name(node), "waiting for " + starts_.waits_for(node));
  }
  for (const Node node : free) manager_.begin(graph_->name(node));
}

void SupervisionTree::on_process_ready(const ProcessHandle& process) {
  const Node node = graph_->process(process.id());
  if (node == DependencyGraph::kNone) return;
  const std::vector<Node> freed = starts_.mark_ready(node);
  if (shutting_down_) return;
  for (const Node next : freed) {
    const ProcessHandle* const waiting = manager_.find(graph_->name(next));
    if (waiting && waiting->desired != Desired::down) manager_.begin(waiting->id());
  }
}

void SupervisionTree::refresh_reasons() {
  for (Node node = 0; node < graph_->size(); ++node) {
    if (!starts_.is_wanted(node)) continue;
    const ProcessHandle* const process = manager_.find(graph_->name(node));
    if (!process || process->phase != ProcessPhase::waiting || process->paused()) continue;
    std::string reason = "waiting for " + starts_.waits_for(node);
    if (process->reason != reason) manager_.wait_for(process->id(), std::move(reason));
  }
}

// What these depend on, directly or through points, and the operator stopped counts as ready no longer. A task that was
// ready is done, which no stop undoes.
void SupervisionTree::withdraw_stopped(const std::vector<Node>& processes) {
  std::vector<Node> open = processes;
  std::unordered_set<Node> seen(open.begin(), open.end());
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    for (const Node below : graph_->prerequisites(node)) {
      if (!seen.insert(below).second) continue;
      if (!graph_->is_process(below)) {
        open.push_back(below);
        continue;
      }
      const ProcessHandle& process = *manager_.find(graph_->name(below));
      if (process.desired == Desired::down && process.config->ready.on != ReadyOn::exit) starts_.withdraw(below);
    }
  }
}

// A process that waits is blocked when the way down to what it waits for ends in something that has ended, or that the
// operator stops.
std::string SupervisionTree::blocked_by(Node process) const {
  std::vector<Node> open{process};
  std::unordered_set<Node> seen{process};
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    for (const Node below : starts_.missing(node)) {
      const ProcessHandle* const handle = manager_.find(graph_->name(below));
      if (!handle || is_ended(handle->phase) || handle->desired == Desired::down) return graph_->name(below);
      if (starts_.is_wanted(below) && seen.insert(below).second) open.push_back(below);
    }
  }
  return {};
}

bool SupervisionTree::is_blocked(Node process) const {
  return starts_.is_wanted(process) && !blocked_by(process).empty();
}

// ---- questions ----

const Supervisor* SupervisionTree::supervisor(std::string_view id) const {
  const auto found = supervisors_.find(std::string(id));
  return found == supervisors_.end() ? nullptr : found->second;
}

Result<std::vector<ProcessId>> SupervisionTree::resolve(std::string_view selector) const {
  std::vector<ProcessId> ids;
  if (place_of(selector) || leaving_.contains(std::string(selector)))
    return std::vector<ProcessId>{ProcessId(selector)};
  if (const auto base = bases_.find(std::string(selector)); base != bases_.end()) return base->second;
  if (const Supervisor* found = supervisor(selector)) {
    collect(*found, ids);
    return ids;
  }
  if (has_glob(selector)) {
    std::unordered_set<std::string> named;
    for (const auto& [id, under] : supervisors_) {
      if (!glob_match(selector, id)) continue;
      std::vector<ProcessId> members;
      collect(*under, members);
      named.insert(members.begin(), members.end());
    }
    for (const auto& [base, replicas] : bases_) {
      if (glob_match(selector, base)) named.insert(replicas.begin(), replicas.end());
    }
    for (const ProcessId& id : order_) {
      if (named.contains(id) || glob_match(selector, id)) ids.push_back(id);
    }
    if (!ids.empty()) return ids;
    return Error(errc::not_found, "nothing matches " + quote_for_message(selector) + "; `tenon ps` lists what there is",
                 fault::caller);
  }
  std::vector<std::string> known(order_.begin(), order_.end());
  for (const auto& [base, replicas] : bases_) known.push_back(base);
  for (const auto& [id, under] : supervisors_) known.push_back(id);
  std::sort(known.begin(), known.end());
  std::string text = "there is no process or supervisor " + quote_for_message(selector);
  if (const auto near = nearest_name(selector, known)) text += "; did you mean " + quote_for_message(*near) + "?";
  else text += "; `tenon ps` lists what there is";
  return Error(errc::not_found, std::move(text), fault::caller);
}

Result<std::vector<ProcessId>> SupervisionTree::resolve(const std::vector<std::string>& selectors) const {
  std::vector<ProcessId> ids;
  std::unordered_set<std::string> seen;
  for (const std::string& selector : selectors) {
    auto found = resolve(selector);
    if (!found) return found;
    for (ProcessId& id : *found) {
      if (seen.insert(id).second) ids.push_back(std::move(id));
    }
  }
  return ids;
}

bool SupervisionTree::idle(const std::function<bool(const ProcessHandle&)>& must_end) const {
  if (manager_.count(ProcessStatus::busy) > 0 || manager_.count(ProcessStatus::stopping) > 0) return false;
  for (const auto& [id, each] : supervisors_) {
    if (each->state == SupervisorState::restarting || each->state == SupervisorState::escalating) return false;
  }
  for (const ProcessId& id : order_) {
    const ProcessHandle& process = *manager_.find(id);
    if (is_ended(process.phase)) continue;
    // What a readiness check took out of service is up all the same: whether something waits for it, queues say.
    const bool coming_up = process.status == ProcessStatus::initializing && process.phase != ProcessPhase::running;
    if (coming_up && !is_blocked(graph_->process(id))) return false;
    if (!coming_up && must_end && must_end(process)) return false;
  }
  return true;
}

}  // namespace tenon::runtime
