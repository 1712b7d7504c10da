#include "runtime/dependency_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/start_sequencer.hpp"
#include "runtime/stop_sequence.hpp"
#include "unit/runtime/fakes.hpp"

namespace tenon::runtime {
namespace {

using test::nested;
using test::process;
using test::root_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::shared_ptr<ProcessConfig> replica(const std::string& base, int number) {
  auto config = process(base + "." + std::to_string(number));
  config->base_id = base;
  return config;
}

struct Order {
  explicit Order(const SupervisorConfig& root) : graph(DependencyGraph::build(root).value()), starts(graph) {}
  std::vector<std::string> names(const std::vector<DependencyGraph::Node>& nodes) const {
    std::vector<std::string> names;
    for (const auto node : nodes) names.push_back(graph.name(node));
    return names;
  }
  std::vector<DependencyGraph::Node> nodes(const std::vector<std::string>& ids) const {
    std::vector<DependencyGraph::Node> nodes;
    for (const auto& id : ids) nodes.push_back(graph.process(id));
    return nodes;
  }
  std::vector<std::string> want(const std::vector<std::string>& ids) { return names(starts.want(nodes(ids))); }
  std::vector<std::string> ready(const std::string& id) { return names(starts.mark_ready(graph.process(id))); }

  DependencyGraph graph;
  StartSequencer starts;
};

std::string first_error(const SupervisorConfig& root) {
  const auto errors = DependencyGraph::check(root);
  return errors.empty() ? "" : errors.front().message;
}

TEST(DependencyGraph, PrintsTheCycleItRefuses) {
  const auto root = root_of({process("a", {"b"}), process("b", {"c"}), process("c", {"a"})});
  EXPECT_THAT(first_error(root), HasSubstr("a → b → c → a"));
}

TEST(DependencyGraph, RefusesADependencyOnItself) {
  EXPECT_THAT(first_error(root_of({process("a", {"a"})})), HasSubstr("a → a"));
}

TEST(DependencyGraph, RefusesToDependOnTheSupervisorAboveOneself) {
  const auto root = root_of({nested("pipe", {process("a", {"pipe"})})});
  EXPECT_THAT(first_error(root), HasSubstr("a → pipe"));
}

TEST(DependencyGraph, RefusesADependencyAgainstTheListOrderOfAnOrderedSupervisor) {
  const auto root = root_of({process("a", {"b"}), process("b")}, Strategy::rest_for_one);
  EXPECT_THAT(first_error(root), HasSubstr("a → b → a"));
}

TEST(DependencyGraph, NamesTheNearestForAnUnknownDependency) {
  EXPECT_THAT(first_error(root_of({process("broker"), process("web", {"broter"})})),
              HasSubstr("\"web\" depends on \"broter\", which does not exist; did you mean \"broker\"?"));
}

TEST(DependencyGraph, ReportsEveryProblemAtOnce) {
  const auto root = root_of({process("a", {"zzzzzz"}), process("a"), process("b", {"yyyyyy"})});
  EXPECT_EQ(DependencyGraph::check(root).size(), 3u);
}

TEST(DependencyGraph, RanksProcessesByTheLongestWayDown) {
  const Order order(root_of({process("a"), process("b", {"a"}), process("c", {"a", "b"}), process("d")}));
  EXPECT_EQ(order.graph.rank(order.graph.process("a")), 0u);
  EXPECT_EQ(order.graph.rank(order.graph.process("b")), 1u);
  EXPECT_EQ(order.graph.rank(order.graph.process("c")), 2u);
  EXPECT_EQ(order.graph.rank(order.graph.process("d")), 0u);
}

TEST(DependencyGraph, KeepsTheNumberOfEdgesLinearForGroupsOfReplicas) {
  std::vector<ChildConfig> children;
  for (int i = 1; i <= 500; ++i) children.push_back(replica("db", i));
  for (int i = 1; i <= 500; ++i) {
    auto web = replica("web", i);
    web->depends_on = {"db"};
    children.push_back(web);
  }
  const Order order(root_of(std::move(children)));
  std::size_t edges = 0;
  for (DependencyGraph::Node node = 0; node < order.graph.size(); ++node) {
    edges += order.graph.prerequisites(node).size();
  }
  EXPECT_LT(edges, 5000u);
}

TEST(DependencyGraph, ADeepChainOverflowsNoStack) {
  std::vector<ChildConfig> children{process("p0")};
  for (int i = 1; i < 20000; ++i) {
    children.push_back(process("p" + std::to_string(i), {"p" + std::to_string(i - 1)}));
  }
  const Order order(root_of(std::move(children)));
  EXPECT_EQ(order.graph.rank(order.graph.process("p19999")), 19999u);
}

TEST(StartOrder, OneForOneStartsInParallelExceptAlongDependencies) {
  Order order(root_of({process("web", {"broker", "db"}), process("broker"), process("db"), process("cron")}));
  EXPECT_THAT(order.want({"web", "broker", "db", "cron"}), ElementsAre("broker", "db", "cron"));
  EXPECT_EQ(order.starts.waits_for(order.graph.process("web")), "broker, db");
  EXPECT_THAT(order.ready("broker"), IsEmpty());
  EXPECT_THAT(order.ready("cron"), IsEmpty());
  EXPECT_THAT(order.ready("db"), ElementsAre("web"));
}

TEST(StartOrder, OrderedStrategiesStartEachAfterItsPredecessorIsReady) {
  Order order(root_of({process("a"), process("b"), process("c")}, Strategy::one_for_all));
  EXPECT_THAT(order.want({"a", "b", "c"}), ElementsAre("a"));
  EXPECT_THAT(order.ready("a"), ElementsAre("b"));
  EXPECT_THAT(order.ready("b"), ElementsAre("c"));
}

TEST(StartOrder, ANestedSupervisorIsReadyWhenAllItsChildrenAre) {
  Order order(root_of({nested("first", {process("a"), process("b")}), process("c")}, Strategy::rest_for_one));
  EXPECT_THAT(order.want({"a", "b", "c"}), ElementsAre("a", "b"));
  EXPECT_THAT(order.ready("b"), IsEmpty());
  EXPECT_THAT(order.ready("a"), ElementsAre("c"));
}

TEST(StartOrder, ASupervisorsDependencyHoldsBackAllUnderIt) {
  auto pipe = nested("pipe", {process("a"), nested("inner", {process("b")})});
  pipe->depends_on = {"broker"};
  Order order(root_of({pipe, process("broker")}));
  EXPECT_THAT(order.want({"a", "b", "broker"}), ElementsAre("broker"));
  EXPECT_THAT(order.ready("broker"), ElementsAre("a", "b"));
}

TEST(StartOrder, ABaseIdMeansAllReplicas) {
  Order order(root_of({process("web", {"db"}), replica("db", 1), replica("db", 2)}));
  EXPECT_THAT(order.want({"web", "db.1", "db.2"}), ElementsAre("db.1", "db.2"));
  EXPECT_THAT(order.ready("db.2"), IsEmpty());
  EXPECT_THAT(order.ready("db.1"), ElementsAre("web"));
}

TEST(StartOrder, ADependencyThatWasReadyOnceHoldsUpNobodyLater) {
  Order order(root_of({process("web", {"db"}), process("db")}));
  EXPECT_THAT(order.want({"db"}), ElementsAre("db"));
  EXPECT_THAT(order.ready("db"), IsEmpty());
  EXPECT_THAT(order.want({"web"}), ElementsAre("web"));
}

TEST(StartOrder, WhatIsStartedTogetherAgainIsStartedInOrderAgain) {
  Order order(root_of({process("web", {"db"}), process("db")}));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(order.want({"web", "db"}), ElementsAre("db"));
    EXPECT_THAT(order.ready("db"), ElementsAre("web"));
    EXPECT_THAT(order.ready("web"), IsEmpty());
  }
}

TEST(StartOrder, WhatIsNotWantedAnyMoreIsNotHandedOut) {
  Order order(root_of({process("web", {"db"}), process("db")}));
  (void)order.want({"web", "db"});
  order.starts.unwant(order.graph.process("web"));
  EXPECT_THAT(order.ready("db"), IsEmpty());
}

TEST(StopOrder, IsTheExactReverseOfTheStart) {
  const Order order(root_of({process("a"), process("b"), process("c")}, Strategy::rest_for_one));
  StopSequence stop(order.graph, order.nodes({"a", "b", "c"}));
  EXPECT_THAT(order.names(stop.begin()), ElementsAre("c"));
  EXPECT_THAT(order.names(stop.gone(order.graph.process("c"))), ElementsAre("b"));
  EXPECT_THAT(order.names(stop.gone(order.graph.process("b"))), ElementsAre("a"));
  EXPECT_FALSE(stop.done());
  EXPECT_THAT(order.names(stop.gone(order.graph.process("a"))), IsEmpty());
  EXPECT_TRUE(stop.done());
}

TEST(StopOrder, StopsIndependentProcessesTogetherLastFirst) {
  const Order order(root_of({process("a"), process("b"), process("c", {"a"})}));
  StopSequence stop(order.graph, order.nodes({"a", "b", "c"}));
  EXPECT_THAT(order.names(stop.begin()), ElementsAre("c", "b"));
  EXPECT_THAT(order.names(stop.gone(order.graph.process("b"))), IsEmpty());
  EXPECT_THAT(order.names(stop.gone(order.graph.process("c"))), ElementsAre("a"));
}

TEST(StopOrder, LooksOnlyAtTheOrderWithinTheSet) {
  const Order order(root_of({process("db"), process("web", {"db"})}));
  StopSequence stop(order.graph, order.nodes({"db"}));
  EXPECT_THAT(order.names(stop.begin()), ElementsAre("db"));
}

TEST(StopOrder, GoesThroughSupervisorsAndGroups) {
  auto pipe = nested("pipe", {process("x"), process("y")});
  pipe->depends_on = {"db"};
  const Order order(root_of({replica("db", 1), replica("db", 2), pipe}));
  StopSequence stop(order.graph, order.nodes({"db.1", "db.2", "x", "y"}));
  EXPECT_THAT(order.names(stop.begin()), ElementsAre("y", "x"));
  EXPECT_THAT(order.names(stop.gone(order.graph.process("x"))), IsEmpty());
  EXPECT_THAT(order.names(stop.gone(order.graph.process("y"))), ElementsAre("db.2", "db.1"));
}

}  // namespace
}  // namespace tenon::runtime
