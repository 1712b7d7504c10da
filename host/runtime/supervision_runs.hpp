// What several processes have in common while a verb works on them. Included by the SupervisionTree's sources only.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/supervision_tree.hpp"

namespace tenon::runtime {

// Collects the outcomes of one verb and reports when the last has come.
struct SupervisionTree::VerbRun {
  VerbRun(std::size_t count, VerbDone report, std::shared_ptr<int> counter)
      : left(count), done(std::move(report)), counted(std::move(counter)) {
    outcomes.reserve(count);
  }

  void add(const ProcessId& id, Status status) {
    outcomes.push_back({id, std::move(status)});
    if (--left == 0 && done) std::exchange(done, nullptr)(std::move(outcomes));
  }
  static ProcessManager::Completion collect(const std::shared_ptr<VerbRun>& run, const ProcessId& id) {
    return [run, id](Status status) { run->add(id, std::move(status)); };
  }

  std::size_t left;
  VerbDone done;
  std::shared_ptr<int> counted;
  std::vector<VerbOutcome> outcomes;
};

// One orderly stop under way: asks one after the other to stop, as the sequence allows.
struct SupervisionTree::StopRun {
  StopRun(std::shared_ptr<const DependencyGraph> whole, const std::vector<Node>& nodes)
      : graph(std::move(whole)), sequence(*graph, nodes) {}

  const ProcessId& name(Node node) const noexcept { return graph->name(node); }
  bool contains(const ProcessId& id) const { return sequence.contains(graph->process(id)); }

  std::shared_ptr<const DependencyGraph> graph;  // of its beginning: a reload may bring another meanwhile
  StopSequence sequence;
  std::function<void(Node)> stop_one;  // ends in a call of stop_next with what sequence.gone() gives
  std::function<void()> done;
  std::vector<Node> queue;
  bool working = false;  // the queue is being worked off: no recursion, however long the chain
};

}  // namespace tenon::runtime
