#include "runtime/dependency_graph.hpp"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "common/text.hpp"

namespace tenon::runtime {

// Collects nodes and edges in two walks over the tree: first every name, then what the names refer to.
class DependencyGraphBuilder {
 public:
  using Node = DependencyGraph::Node;

  void read(const SupervisorConfig& root) {
    declare(root);
    connect(root, DependencyGraph::kNone);
    find_cycles();
    if (errors_.empty()) rank();
  }
  std::vector<Error> errors() && { return std::move(errors_); }
  DependencyGraph graph() && {
    graph_.nodes_.shrink_to_fit();
    for (Node node = 0; node < graph_.nodes_.size(); ++node) {
      DependencyGraph::Entry& entry = graph_.nodes_[node];
      if (entry.process) graph_.processes_.emplace(entry.name, node);
      entry.prerequisites = append(graph_.prerequisites_, edges_[node].prerequisites);
      entry.prerequisite_count = static_cast<std::uint32_t>(edges_[node].prerequisites.size());
      entry.dependents = append(graph_.dependents_, edges_[node].dependents);
      entry.dependent_count = static_cast<std::uint32_t>(edges_[node].dependents.size());
    }
    return std::move(graph_);
  }

 private:
  struct Points {
    Node gate;   // before the children; ready when what the supervisor waits for is
    Node ready;  // after them; ready when all children are
  };

  struct Edges {
    std::vector<Node> prerequisites, dependents;
  };

  // Where they begin in `all`.
  static std::uint32_t append(std::vector<Node>& all, const std::vector<Node>& some) {
    all.insert(all.end(), some.begin(), some.end());
    return static_cast<std::uint32_t>(all.size() - some.size());
  }

  Node add(const std::string& name, bool process) {
    DependencyGraph::Entry& entry = graph_.nodes_.emplace_back();
    entry.name = name;
    entry.process = process;
    edges_.emplace_back();
    return static_cast<Node>(graph_.nodes_.size() - 1);
  }
  void edge(Node from, Node to) {
    edges_[from].prerequisites.push_back(to);
    edges_[to].dependents.push_back(from);
  }

  // `name` as something that others may depend on.
  void declare_name(const std::string& name, Node node) {
    if (targets_.emplace(name, node).second) return;
    errors_.emplace_back(errc::already_exists,
                         "the id " + quote_for_message(name) + " is used twice; give one of them another id",
                         fault::caller);
  }

  void declare(const SupervisorConfig& supervisor) {
    const Points points{add(supervisor.id, false), add(supervisor.id, false)};
    graph_.nodes_[points.gate].gate = true;
    points_.emplace(&supervisor, points);
    declare_name(supervisor.id, points.ready);
    for (const ChildConfig& child : supervisor.children) {
      if (const auto* nested = std::get_if<std::shared_ptr<const SupervisorConfig>>(&child)) {
        declare(**nested);
        continue;
      }
      const ProcessConfig& process = *std::get<std::shared_ptr<const ProcessConfig>>(child);
      const Node node = add(process.id, true);
      process_nodes_.emplace(&process, node);
      declare_name(process.id, node);
      if (process.base_id.empty() || process.base_id == process.id) continue;
      auto [base, fresh] = bases_.try_emplace(process.base_id, DependencyGraph::kNone);
      if (fresh) {
        base->second = add(process.base_id, false);
        declare_name(process.base_id, base->second);
      }
      edge(base->second, node);
    }
  }

  void depend(Node from, const std::string& owner, const std::vector<std::string>& names) {
    std::unordered_set<std::string_view> seen;
    for (const std::string& name : names) {
      if (!seen.insert(name).second) continue;
      if (const auto target = targets_.find(name); target != targets_.end()) {
        edge(from, target->second);
        continue;
      }
      std::vector<std::string> known;
      for (const auto& [id, node] : targets_) known.push_back(id);
      std::sort(known.begin(), known.end());
      std::string text = quote_for_message(owner) + " depends on " + quote_for_message(name) + ", which does not exist";
      if (const auto near = nearest_name(name, known)) text += "; did you mean " + quote_for_message(*near) + "?";
      else text += "; name a process, a base id or a supervisor of this config";
      errors_.emplace_back(errc::not_found, std::move(text), fault::caller);
    }
  }

  void connect(const SupervisorConfig& supervisor, Node parent_gate) {
    const Points points = points_.at(&supervisor);
    if (parent_gate != DependencyGraph::kNone) edge(points.gate, parent_gate);
    depend(points.gate, supervisor.id, supervisor.depends_on);
    const bool ordered = supervisor.strategy != Strategy::one_for_one;
    Node previous = DependencyGraph::kNone;
    for (const ChildConfig& child : supervisor.children) {
      Node first = 0, last = 0;  // what waits, and what says that the child is ready
      if (const auto* nested = std::get_if<std::shared_ptr<const SupervisorConfig>>(&child)) {
        connect(**nested, points.gate);
        first = points_.at(nested->get()).gate, last = points_.at(nested->get()).ready;
      } else {
        const ProcessConfig& process = *std::get<std::shared_ptr<const ProcessConfig>>(child);
        first = last = process_nodes_.at(&process);
        edge(first, points.gate);
        depend(first, process.id, process.depends_on);
      }
      if (ordered && previous != DependencyGraph::kNone) edge(first, previous);
      edge(points.ready, last);
      previous = last;
    }
    // An empty supervisor is ready once it may start.
    edge(points.ready, points.gate);
  }

  // Depth first, without recursion: the depth is the operator's. Every edge that leads back closes a cycle; without
  // those edges there is none.
  void find_cycles() {
    std::size_t cycles = 0;
    enum : std::uint8_t { fresh, open, closed };
    std::vector<std::uint8_t> colour(graph_.nodes_.size(), fresh);
    std::vector<std::pair<Node, std::size_t>> path;
    for (Node start = 0; start < graph_.nodes_.size(); ++start) {
      if (colour[start] != fresh) continue;
      path.assign(1, {start, 0});
      colour[start] = open;
      while (!path.empty()) {
        auto& [node, next] = path.back();
        if (next == edges_[node].prerequisites.size()) {
          colour[node] = closed;
          path.pop_back();
          continue;
        }
        const Node to = edges_[node].prerequisites[next++];
        if (colour[to] == open) report_cycle(path, to);
        if (colour[to] == open && ++cycles == DependencyGraph::kMaxCycles) return;
        if (colour[to] != fresh) continue;
        colour[to] = open;
        path.emplace_back(to, 0);
      }
    }
  }

  void report_cycle(const std::vector<std::pair<Node, std::size_t>>& path, Node entry) {
    std::vector<std::string> names;
    auto from = std::find_if(path.begin(), path.end(), [&](const auto& step) { return step.first == entry; });
    for (; from != path.end(); ++from) {
      // A supervisor's gate and its ready point are one thing to people.
      const std::string& name = graph_.nodes_[from->first].name;
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    if (names.size() == 1 || names.front() != names.back()) names.push_back(names.front());
    errors_.emplace_back(errc::invalid_argument,
                         "each would wait for the other: " + join(names, " → ") + "; remove one of these from "
                         "depends_on, or change the order of the children",
                         fault::caller);
  }

  // The longest path down, in processes, by walking the nodes whose prerequisites are all ranked.
  void rank() {
    std::vector<std::uint32_t> missing(graph_.nodes_.size()), depth(graph_.nodes_.size());
    std::vector<Node> free;
    for (Node node = 0; node < graph_.nodes_.size(); ++node) {
      missing[node] = static_cast<std::uint32_t>(edges_[node].prerequisites.size());
      if (missing[node] == 0) free.push_back(node);
    }
    while (!free.empty()) {
      const Node node = free.back();
      free.pop_back();
      auto& entry = graph_.nodes_[node];
      entry.rank = depth[node];
      for (const Node up : edges_[node].dependents) {
        depth[up] = std::max(depth[up], depth[node] + (entry.process ? 1 : 0));
        if (--missing[up] == 0) free.push_back(up);
      }
    }
  }

  DependencyGraph graph_;
  std::vector<Edges> edges_;  // by node
  std::vector<Error> errors_;
  std::unordered_map<std::string, Node> targets_;
  std::unordered_map<std::string, Node> bases_;
  std::unordered_map<const SupervisorConfig*, Points> points_;
  std::unordered_map<const ProcessConfig*, Node> process_nodes_;
};

std::vector<Error> DependencyGraph::check(const SupervisorConfig& root) {
  DependencyGraphBuilder builder;
  builder.read(root);
  return std::move(builder).errors();
}

Result<DependencyGraph> DependencyGraph::build(const SupervisorConfig& root) {
  DependencyGraphBuilder builder;
  builder.read(root);
  if (auto errors = std::move(builder).errors(); !errors.empty()) return std::move(errors.front());
  return std::move(builder).graph();
}

DependencyGraph::Node DependencyGraph::process(std::string_view id) const noexcept {
  const auto found = processes_.find(id);
  return found == processes_.end() ? kNone : found->second;
}

}  // namespace tenon::runtime
