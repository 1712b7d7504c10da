// One orderly stop of a set of processes: who may be stopped now, and who next. The exact reverse of the start. Pure.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "runtime/dependency_graph.hpp"

namespace tenon::runtime {

class StopSequence {
 public:
  using Node = DependencyGraph::Node;

  // Only the order among `processes` counts; whoever else depends on them is left alone.
  StopSequence(const DependencyGraph& graph, const std::vector<Node>& processes);

  // Those that nothing of the set stands behind; call once. The reverse of the order in which they were given.
  std::vector<Node> begin();
  // It is gone: those that may be stopped now. Ignored for others than those handed out.
  std::vector<Node> gone(Node process);
  bool contains(Node process) const { return states_.contains(process); }
  bool done() const noexcept { return left_ == 0; }
  std::size_t left() const noexcept { return left_; }

 private:
  struct State {
    std::uint32_t waits_for = 0;  // dependents of the set that are still there
    bool handed_out = false;
    bool gone = false;
  };
  void release(Node node, std::vector<Node>& freed);

  const DependencyGraph& graph_;
  std::vector<Node> order_;
  std::unordered_map<Node, State> states_;  // of the set and of the points between
  std::size_t left_ = 0;
};

}  // namespace tenon::runtime
