// Which processes may start now. Keeps, for every node of a DependencyGraph, how much it still waits for. Pure.
//
// The model. A process is *wanted* between want() and the moment it is handed out, and *ready* from mark_ready() until
// it is wanted again or withdrawn: a dependency that dies later holds up nobody, but whatever is started together is
// started in order. Each change costs as much as the edges it crosses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/dependency_graph.hpp"

namespace tenon::runtime {

class StartSequencer {
 public:
  using Node = DependencyGraph::Node;

  StartSequencer() = default;
  explicit StartSequencer(const DependencyGraph& graph);  // which outlives this

  // These are to be started, in order among themselves. Returns those that may start at once, in the order given.
  std::vector<Node> want(const std::vector<Node>& processes);
  void unwant(Node process) noexcept;  // it is not to be started any more
  // It is ready (or, for a task, done). Returns those that may start now because of it.
  std::vector<Node> mark_ready(Node process);
  // It is ready no more: what is wanted from now on waits for it.
  void withdraw(Node process) { set_ready(process, false, nullptr); }
  bool is_ready(Node process) const noexcept { return state_[process].ready; }
  bool is_wanted(Node process) const noexcept { return state_[process].wanted; }
  // Names of up to `limit` things that the process still waits for, "broker, cache".
  std::string waits_for(Node process, std::size_t limit = 3) const;
  // The processes that directly or through points stand before it and are not ready.
  std::vector<Node> missing(Node process) const;

 private:
  struct State {
    std::uint32_t unmet = 0;        // prerequisites that are not satisfied
    std::uint32_t unmet_gates = 0;  // of these, gates
    bool wanted = false;
    bool ready = false;
  };
  bool satisfied(Node node) const noexcept;
  void count(Node node, Node dependent, bool is_satisfied) noexcept;
  void set_ready(Node process, bool ready, std::vector<Node>* freed);

  const DependencyGraph* graph_ = nullptr;
  std::vector<State> state_;
};

}  // namespace tenon::runtime
