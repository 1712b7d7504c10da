#include "runtime/stop_sequence.hpp"

#include <algorithm>

namespace tenon::runtime {

StopSequence::StopSequence(const DependencyGraph& graph, const std::vector<Node>& processes) : graph_(graph) {
  order_.reserve(processes.size());
  std::vector<Node> open;
  for (const Node node : processes) {
    if (states_.emplace(node, State{}).second) order_.push_back(node), open.push_back(node);
  }
  left_ = order_.size();
  // Upwards through points, so that two processes of the set that only a point connects are in order too.
  std::vector<Node> points;
  while (!open.empty()) {
    const Node node = open.back();
    open.pop_back();
    for (const Node up : graph_.dependents(node)) {
      if (graph_.is_process(up) || !states_.emplace(up, State{}).second) continue;
      open.push_back(up), points.push_back(up);
    }
  }
  for (auto& [node, state] : states_) {
    for (const Node up : graph_.dependents(node)) state.waits_for += states_.contains(up) ? 1 : 0;
  }
  // Points that nothing of the set stands behind hold up nobody.
  std::vector<Node> ignored;
  for (const Node point : points) {
    if (const auto state = states_.find(point); state->second.waits_for == 0 && !state->second.gone) {
      release(point, ignored);
    }
  }
}

// Everything below `node` waits for one less; points that became free are gone at once.
void StopSequence::release(Node node, std::vector<Node>& freed) {
  std::vector<Node> open{node};
  states_.find(node)->second.gone = true;
  while (!open.empty()) {
    const Node current = open.back();
    open.pop_back();
    for (const Node below : graph_.prerequisites(current)) {
      const auto found = states_.find(below);
      if (found == states_.end() || --found->second.waits_for != 0) continue;
      if (graph_.is_process(below)) {
        freed.push_back(below);
      } else {
        found->second.gone = true;
        open.push_back(below);
      }
    }
  }
}

std::vector<StopSequence::Node> StopSequence::begin() {
  std::vector<Node> free;
  for (auto node = order_.rbegin(); node != order_.rend(); ++node) {
    State& state = states_.find(*node)->second;
    if (state.waits_for == 0) state.handed_out = true, free.push_back(*node);
  }
  return free;
}

std::vector<StopSequence::Node> StopSequence::gone(Node process) {
  const auto found = states_.find(process);
  if (found == states_.end() || !found->second.handed_out || found->second.gone) return {};
  --left_;
  std::vector<Node> freed;
  release(process, freed);
  std::sort(freed.begin(), freed.end(), std::greater<>());
  for (const Node node : freed) states_.find(node)->second.handed_out = true;
  return freed;
}

}  // namespace tenon::runtime
