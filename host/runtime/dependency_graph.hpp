// Who must be ready before whom: the tree's start and stop order as a graph. Pure; `check` uses it too.
//
// The model. Nodes are processes and, between them, points that stand for several: all replicas of a base id, the gate
// before a supervisor's children, and the state "all of a supervisor's children are ready". Edges lead from a node to
// what it waits for: depends_on (of processes and supervisors), the predecessor in the list of a rest_for_one or
// one_for_all supervisor, a child's gate. The points keep the number of edges linear in the size of the config.
// A process waits until all it leads to are ready; it is stopped when all that lead to it are gone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/result.hpp"
#include "runtime/supervisor_config.hpp"

namespace tenon::runtime {

class DependencyGraph {
 public:
  using Node = std::uint32_t;
  static constexpr Node kNone = UINT32_MAX;
  static constexpr std::size_t kMaxCycles = 100;

  // All problems at once, each a sentence that names who and what to do: an id used twice, a dependency that nobody has
  // (with the nearest name), and cycles (errc::invalid_argument), printed as "a → b → a": so many, at most
  // kMaxCycles, that none is left once each of them is broken.
  static std::vector<Error> check(const SupervisorConfig& root);
  // The first problem of check() as error.
  static Result<DependencyGraph> build(const SupervisorConfig& root);
  DependencyGraph() = default;  // empty

  Node process(std::string_view id) const noexcept;  // kNone: no such process
  std::size_t size() const noexcept { return nodes_.size(); }
  bool is_process(Node node) const noexcept { return nodes_[node].process; }
  // A point before all that stands in a supervisor: only they wait for it.
  bool is_gate(Node node) const noexcept { return nodes_[node].gate; }
  // What people call it: an id, a base id or a supervisor.
  const std::string& name(Node node) const noexcept { return nodes_[node].name; }
  // Valid as long as the graph.
  std::span<const Node> prerequisites(Node node) const noexcept {
    return {prerequisites_.data() + nodes_[node].prerequisites, nodes_[node].prerequisite_count};
  }
  std::span<const Node> dependents(Node node) const noexcept {
    return {dependents_.data() + nodes_[node].dependents, nodes_[node].dependent_count};
  }
  // The longest way down to something without prerequisites, counted in processes. A higher rank stops earlier.
  std::uint32_t rank(Node process) const noexcept { return nodes_[process].rank; }

 private:
  friend class DependencyGraphBuilder;
  struct Entry {
    std::string name;
    bool process = false;
    bool gate = false;
    std::uint32_t rank = 0;
    // Where its edges begin in the lists below, and how many there are.
    std::uint32_t prerequisites = 0, prerequisite_count = 0, dependents = 0, dependent_count = 0;
  };
  std::vector<Entry> nodes_;
  std::vector<Node> prerequisites_, dependents_;  // of all nodes, one node's after the other's
  std::unordered_map<std::string_view, Node> processes_;  // views into name
};

}  // namespace tenon::runtime
