#include "runtime/start_sequencer.hpp"

#include <algorithm>
#include <unordered_set>

namespace tenon::runtime {
namespace {

std::vector<DependencyGraph::Node> list_of(std::span<const DependencyGraph::Node> nodes) {
  return {nodes.begin(), nodes.end()};
}

}  // namespace

StartSequencer::StartSequencer(const DependencyGraph& graph) : graph_(&graph), state_(graph.size()) {
  for (Node node = 0; node < graph.size(); ++node) {
    for (const Node below : graph.prerequisites(node)) count(below, node, false);
  }
  // Points without prerequisites are satisfied from the start, and so on upwards.
  std::vector<Node> satisfied_points;
  for (Node node = 0; node < graph.size(); ++node) {
    if (satisfied(node)) satisfied_points.push_back(node);
  }
  while (!satisfied_points.empty()) {
    const Node node = satisfied_points.back();
    satisfied_points.pop_back();
    for (const Node up : graph.dependents(node)) {
      count(node, up, true);
      if (satisfied(up)) satisfied_points.push_back(up);
    }
  }
}

bool StartSequencer::satisfied(Node node) const noexcept {
  return graph_->is_process(node) ? state_[node].ready : state_[node].unmet == 0;
}

// `node` is one more, or one less, that `dependent` waits for.
void StartSequencer::count(Node node, Node dependent, bool is_satisfied) noexcept {
  State& state = state_[dependent];
  const std::uint32_t change = is_satisfied ? UINT32_MAX : 1;  // modulo 2^32: minus or plus one
  state.unmet += change;
  if (graph_->is_gate(node)) state.unmet_gates += change;
}

void StartSequencer::set_ready(Node process, bool ready, std::vector<Node>* freed) {
  if (state_[process].ready == ready) return;
  state_[process].ready = ready;
  std::vector<Node> changed{process};
  while (!changed.empty()) {
    const Node node = changed.back();
    changed.pop_back();
    for (const Node up : graph_->dependents(node)) {
      State& state = state_[up];
      const bool was_met = state.unmet == 0;
      count(node, up, ready);
      const bool met = state.unmet == 0;
      if (met == was_met) continue;
      if (!graph_->is_process(up)) {
        changed.push_back(up);
      } else if (met && state.wanted && freed) {
        freed->push_back(up);
      }
    }
  }
}

std::vector<StartSequencer::Node> StartSequencer::want(const std::vector<Node>& processes) {
  for (const Node node : processes) {
    state_[node].wanted = true;
    set_ready(node, false, nullptr);
  }
  std::vector<Node> free;
  for (const Node node : processes) {
    if (state_[node].wanted && state_[node].unmet == 0) state_[node].wanted = false, free.push_back(node);
  }
  return free;
}

void StartSequencer::unwant(Node process) noexcept { state_[process].wanted = false; }

std::vector<StartSequencer::Node> StartSequencer::mark_ready(Node process) {
  std::vector<Node> freed;
  state_[process].wanted = false;
  set_ready(process, true, &freed);
  std::sort(freed.begin(), freed.end());  // list order: nodes are numbered in it
  for (const Node node : freed) state_[node].wanted = false;
  return freed;
}

std::vector<StartSequencer::Node> StartSequencer::missing(Node process) const {
  std::vector<Node> found, open = list_of(graph_->prerequisites(process));
  std::unordered_set<Node> seen(open.begin(), open.end());
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    if (satisfied(node)) continue;
    if (graph_->is_process(node)) {
      found.push_back(node);
      continue;
    }
    for (const Node below : graph_->prerequisites(node)) {
      if (seen.insert(below).second) open.push_back(below);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string StartSequencer::waits_for(Node process, std::size_t limit) const {
  // The points' own names ("counter" for all its replicas) say more than a list of replicas would. But the gate that it
  // stands behind bears the name of its own supervisor, and one whose children are all ready is not what is missing:
  // what their gates wait for is meant.
  std::vector<std::string> names;
  std::size_t more = 0;
  std::vector<Node> open = list_of(graph_->prerequisites(process));
  for (std::size_t i = 0; i < open.size(); ++i) {
    const Node node = open[i];
    if (satisfied(node)) continue;
    const bool stands_for_gates = !graph_->is_process(node) && state_[node].unmet == state_[node].unmet_gates;
    if (graph_->is_gate(node) || stands_for_gates) {
      const auto before = graph_->prerequisites(node);
      open.insert(open.end(), before.begin(), before.end());
      continue;
    }
    names.size() < limit ? names.push_back(graph_->name(node)) : void(++more);
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  if (more > 0) text += " and " + std::to_string(more) + " more";
  return text;
}

}  // namespace tenon::runtime
