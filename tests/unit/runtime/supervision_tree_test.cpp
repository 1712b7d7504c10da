// Stories of the tree: order, strategies, escalation, verbs, the end.
#include "runtime/supervision_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/supervision_tree_fixture.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using test::nested;
using test::on_event;
using test::process;
using test::root_of;
using test::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct SupervisionTreeTest : test::SupervisionTreeFixture {};

// ---- start ----

TEST_F(SupervisionTreeTest, StartsEachProcessAfterItsDependenciesAreReady) {
  start(root_of({process("web", {"broker"}), on_event("broker"), process("cron")}));
  EXPECT_THAT(spawned(), ElementsAre("broker", "cron"));
  EXPECT_EQ(status("web"), ProcessStatus::initializing);
  EXPECT_EQ((*this)["web"].reason, "waiting for broker");
  manager->notify_ready("broker", 1);
  turn();
  EXPECT_EQ(status("web"), ProcessStatus::idle);
}

TEST_F(SupervisionTreeTest, WhatWaitsWithItsSupervisorNamesWhoIsMeant) {
  auto group = nested("group", {process("web"), nested("inner", {process("cache")})}, Strategy::rest_for_one);
  group->depends_on = {"broker"};
  start(root_of({on_event("broker"), group, process("last", {"group"})}));
  EXPECT_EQ((*this)["web"].reason, "waiting for broker");
  EXPECT_EQ((*this)["cache"].reason, "waiting for web, broker");
  EXPECT_EQ((*this)["last"].reason, "waiting for group");
}

TEST_F(SupervisionTreeTest, ASupervisorWhoseChildrenAreUpIsNotWhoIsWaitedFor) {
  start(root_of({process("first"), nested("group", {process("web")}), process("last")}, Strategy::rest_for_one));
  apply(Verb::stop, "first");
  apply(Verb::stop, "last");
  apply(Verb::start, "last");
  EXPECT_EQ((*this)["last"].reason, "waiting for first");
}

TEST_F(SupervisionTreeTest, WhoWaitsNamesTheNextOneWhenTheFirstHasCome) {
  start(root_of({process("first"), nested("group", {on_event("web")}), process("last")}, Strategy::rest_for_one));
  manager->notify_ready("web", 1);
  turn();
  apply(Verb::stop, "first");
  apply(Verb::stop, "last");
  apply(Verb::start, "last");
  ASSERT_EQ((*this)["last"].reason, "waiting for first");
  apply(Verb::stop, "group");
  apply(Verb::start, "group");
  apply(Verb::start, "first");
  tree->refresh_reasons();
  EXPECT_EQ((*this)["last"].reason, "waiting for group");
  EXPECT_EQ((*this)["web"].reason, "started, not ready yet: no tenon.ready event") << "it waits for nobody any more";
}

TEST_F(SupervisionTreeTest, OrderedChildrenStartOneByOneAndStopInReverse) {
  start(root_of({process("a"), process("b"), process("c")}, Strategy::rest_for_one));
  EXPECT_THAT(spawned(), ElementsAre("a", "b", "c"));
  bool done = false;
  tree->stop_all(1min, [&](Status status) { done = status.ok(); });
  turn();
  EXPECT_TRUE(done);
  EXPECT_THAT(terms(), ElementsAre("c", "b", "a"));
}

TEST_F(SupervisionTreeTest, RefusesABadTreeAndLeavesNothingBehind) {
  const Status loaded = tree->load(root_of({process("a", {"b"}), process("b", {"a"})}));
  EXPECT_THAT(loaded.error().message, HasSubstr("a → b → a"));
  auto broken = process("c");
  broken->argv.clear();
  EXPECT_FALSE(tree->load(root_of({process("a"), broken})).ok());
  EXPECT_EQ(manager->size(), 0u);
}

TEST_F(SupervisionTreeTest, TellsTheKeeperWhoStopsFirst) {
  start(root_of({process("a"), process("b", {"a"}), process("c", {"b"})}));
  EXPECT_LT(keeper.ranks["a"], keeper.ranks["b"]);
  EXPECT_LT(keeper.ranks["b"], keeper.ranks["c"]);
}

// ---- one_for_one and its limit ----

TEST_F(SupervisionTreeTest, ACrashLoopEndsInErrorAndTheOthersLive) {
  start(root_of({process("bad"), process("good")}));
  crash_loop("bad", 20);
  EXPECT_EQ(status("bad"), ProcessStatus::error);
  EXPECT_EQ((*this)["bad"].reason, "5 restarts in 10 s did not help: exit code 1");
  EXPECT_EQ((*this)["bad"].total_restarts, 5u);
  EXPECT_EQ(status("good"), ProcessStatus::idle);
  EXPECT_EQ((*this)["good"].generation, 1u);
  EXPECT_FALSE(observer.host_end.has_value());
}

TEST_F(SupervisionTreeTest, WhatThePolicyAddsStandsInTheReasonUnlessTheLimitOverrulesIt) {
  policies.text = "outside working hours";
  start(root_of({process("w"), process("bad")}));
  exit("w", 3);
  exit("w", 3);
  EXPECT_EQ((*this)["w"].reason, "restart 2 of 5 in 10 s, next in 100 ms: exit code 3; outside working hours");
  crash_loop("bad", 20);
  EXPECT_EQ((*this)["bad"].reason, "5 restarts in 10 s did not help: exit code 1");
}

TEST_F(SupervisionTreeTest, EachRestartSaysTheHowManiethItIs) {
  start(root_of({process("w")}));
  exit("w", 3);
  exit("w", 3);
  EXPECT_EQ((*this)["w"].reason, "restart 2 of 5 in 10 s, next in 100 ms: exit code 3");
  ASSERT_EQ(observer.notices.size(), 2u);
  EXPECT_EQ(observer.notices[1].attempt, 2u);
  EXPECT_EQ(observer.notices[1].limit, 5u);
  EXPECT_EQ(observer.notices[1].period, 10s);
}

TEST_F(SupervisionTreeTest, TheNumberOfARestartGoesOnWithTheNextEngine) {
  start(root_of({process("w"), nested("group", {process("a"), process("b")}, Strategy::one_for_all)}));
  for (int i = 0; i < 2; ++i) {
    exit("w", 3), exit("a", 3);
    advance(1s);
  }
  crash();
  exit("w", 3), exit("b", 4);
  EXPECT_EQ((*this)["w"].reason, "restart 3 of 5 in 10 s, next in 200 ms: exit code 3");
  ASSERT_EQ(observer.notices.back().reason, "exit code 4");
  EXPECT_EQ(observer.notices.back().attempt, 3u) << "of the window that it shares";
}

TEST_F(SupervisionTreeTest, UnderFailChildManyDeathsAtOnceFailNobody) {
  std::vector<ChildConfig> children;
  for (int i = 0; i < 200; ++i) children.push_back(process("w" + std::to_string(i)));
  start(root_of(std::move(children)));
  for (int i = 0; i < 200; ++i) keeper.exit("w" + std::to_string(i), {0, SIGKILL});
  turn();
  EXPECT_EQ(manager->count(ProcessStatus::idle), 200u);
}

TEST_F(SupervisionTreeTest, AnOperatorsStartGivesAFreshBudget) {
  start(root_of({process("w")}));
  crash_loop("w", 20);
  ASSERT_EQ(status("w"), ProcessStatus::error);
  EXPECT_TRUE(apply(Verb::start, "w").all_ok());
  exit("w", 1);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(SupervisionTreeTest, ADependencyThatDiesLaterRestartsNobodyAndHoldsUpNoRestart) {
  start(root_of({process("broker"), process("web", {"broker"})}));
  EXPECT_TRUE(apply(Verb::stop, "broker").all_ok());
  EXPECT_EQ(status("web"), ProcessStatus::idle);
  exit("web", 1);
  EXPECT_EQ(status("web"), ProcessStatus::idle);
  EXPECT_EQ((*this)["web"].generation, 2u);
}

// ---- group strategies ----

TEST_F(SupervisionTreeTest, OneForAllStopsTheSiblingsInReverseAndStartsAllInOrder) {
  start(root_of({process("a"), process("b"), process("c")}, Strategy::one_for_all));
  keeper.log.clear();
  exit("b", 1);
  EXPECT_THAT(terms(), ElementsAre("c", "a"));
  EXPECT_THAT(spawned(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(manager->count(ProcessStatus::idle), 3u);
  EXPECT_EQ((*this)["b"].total_restarts, 1u);
  EXPECT_EQ((*this)["a"].total_restarts, 0u);
  EXPECT_EQ(tree->root()->state, SupervisorState::running);
}

TEST_F(SupervisionTreeTest, RestForOneLeavesThoseBeforeTheFailedChildAlone) {
  start(root_of({process("a"), process("b"), process("c")}, Strategy::rest_for_one));
  keeper.log.clear();
  exit("b", 1);
  EXPECT_THAT(terms(), ElementsAre("c"));
  EXPECT_THAT(spawned(), ElementsAre("b", "c"));
  EXPECT_EQ((*this)["a"].generation, 1u);
}

TEST_F(SupervisionTreeTest, AGroupRestartWaitsForThePolicysDelay) {
  start(root_of({process("a"), process("b")}, Strategy::one_for_all));
  exit("a", 1);
  keeper.log.clear();
  exit("a", 1);  // the second in a row: 100 ms
  EXPECT_FALSE(keeper.runs("b"));
  EXPECT_THAT(spawned(), IsEmpty());
  EXPECT_FALSE(tree->idle({}));
  advance(100ms);
  EXPECT_THAT(spawned(), ElementsAre("a", "b"));
}

TEST_F(SupervisionTreeTest, ASiblingThatDiesWhileTheGroupStopsCountsNothing) {
  keeper.ignores_term.insert("c");
  start(root_of({process("a"), process("b"), process("c")}, Strategy::one_for_all));
  exit("b", 1);  // c must go first, then a
  exit("a", 1);
  EXPECT_EQ((*this)["a"].total_restarts, 0u);
  advance(5s);
  EXPECT_EQ(manager->count(ProcessStatus::idle), 3u);
  EXPECT_EQ((*this)["a"].generation, 2u);
}

TEST_F(SupervisionTreeTest, AGroupRestartDoesNotStartWhatTheOperatorStopped) {
  start(root_of({process("a"), process("b"), process("c")}, Strategy::one_for_all));
  apply(Verb::stop, "c");
  exit("a", 1);
  EXPECT_EQ(status("c"), ProcessStatus::terminated);
  EXPECT_EQ((*this)["b"].generation, 2u);
}

TEST_F(SupervisionTreeTest, AnOperatorsStopDuringAGroupRestartWins) {
  keeper.ignores_term.insert("c");
  start(root_of({process("a"), process("b"), process("c")}, Strategy::one_for_all));
  exit("a", 1);
  const VerbAnswer stopped = apply(Verb::stop, "c");
  advance(5s);
  EXPECT_TRUE(stopped.all_ok());
  EXPECT_EQ(status("c"), ProcessStatus::terminated);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ(status("b"), ProcessStatus::idle);
}

TEST_F(SupervisionTreeTest, AStartOfASiblingThatIsBeingStoppedDoesNotHoldUpTheGroup) {
  keeper.ignores_term.insert("c");
  start(root_of({process("a"), process("b"), process("c")}, Strategy::one_for_all));
  exit("a", 1);
  const VerbAnswer started = apply(Verb::start, "c");
  EXPECT_FALSE(started.answered());
  advance(5s);
  EXPECT_TRUE(started.all_ok());
  EXPECT_EQ(manager->count(ProcessStatus::idle), 3u);
  EXPECT_EQ((*this)["c"].generation, 2u);
  EXPECT_EQ(tree->root()->state, SupervisorState::running);
}

TEST_F(SupervisionTreeTest, WhatTheOperatorStartsDuringAGroupRestartIsStartedWithTheGroup) {
  keeper.ignores_term.insert("c");
  start(root_of({process("a"), process("b"), process("c")}, Strategy::one_for_all));
  apply(Verb::stop, "b");
  exit("a", 1);
  const VerbAnswer started = apply(Verb::start, "b");
  EXPECT_FALSE(started.answered());
  advance(5s);
  EXPECT_TRUE(started.all_ok());
  EXPECT_EQ(manager->count(ProcessStatus::idle), 3u);
}

TEST_F(SupervisionTreeTest, ALongOrderedListRestartsWithoutDeepRecursion) {
  std::vector<ChildConfig> children;
  for (int i = 0; i < 3000; ++i) children.push_back(process("w" + std::to_string(i)));
  start(root_of(std::move(children), Strategy::one_for_all));
  ASSERT_EQ(manager->count(ProcessStatus::idle), 3000u);
  for (int i = 1; i < 3000; ++i) apply(Verb::stop, "w" + std::to_string(i));  // all are down: the stops answer at once
  exit("w0", 1);
  EXPECT_EQ((*this)["w0"].generation, 2u);
  bool done = false;
  tree->stop_all(1min, [&](Status) { done = true; });
  turn();
  EXPECT_TRUE(done);
}

// ---- escalation ----

TEST_F(SupervisionTreeTest, ANestedSupervisorEscalatesAndIsRestartedAsAWhole) {
  start(root_of({nested("pipe", {process("a"), process("b")}), process("other")}));
  crash_loop("a", 6);
  EXPECT_THAT(observer.events, testing::Contains("escalated pipe"));
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ(status("b"), ProcessStatus::idle);
  EXPECT_EQ((*this)["b"].generation, 2u);
  EXPECT_EQ((*this)["other"].generation, 1u);
  EXPECT_EQ(tree->supervisor("pipe")->restarts, 1u);
  EXPECT_TRUE(tree->supervisor("pipe")->window.times().empty());
}

TEST_F(SupervisionTreeTest, AnEscalatingSupervisorsChildrenShareOneBudget) {
  start(root_of({nested("pipe", {process("a"), process("b"), process("c")})}));
  for (const std::string id : {"a", "b", "c", "a", "b"}) {
    exit(id, 1);
    advance(1s);
  }
  EXPECT_THAT(observer.events, testing::Not(testing::Contains("escalated pipe")));
  exit("c", 1);
  EXPECT_THAT(observer.events, testing::Contains("escalated pipe"));
}

TEST_F(SupervisionTreeTest, ASupervisorThatEscalatesTooOftenIsFailedByItsParent) {
  auto root = root_of({nested("pipe", {process("a"), process("b")}), process("other")});
  root.intensity = {1, 1h};
  start(std::move(root));
  crash_loop("a", 40);
  EXPECT_EQ(tree->supervisor("pipe")->state, SupervisorState::failed);
  EXPECT_EQ(status("a"), ProcessStatus::error);
  EXPECT_EQ(status("b"), ProcessStatus::error);
  EXPECT_THAT((*this)["b"].reason, HasSubstr("1 restart in 1h did not help: pipe gave up"));
  EXPECT_EQ(status("other"), ProcessStatus::idle);
  EXPECT_THAT(observer.events, testing::Contains("supervisor stopped pipe"));
  EXPECT_FALSE(observer.host_end.has_value());

  EXPECT_TRUE(apply(Verb::start, "pipe").all_ok());
  EXPECT_EQ(tree->supervisor("pipe")->state, SupervisorState::running);
  EXPECT_EQ(status("b"), ProcessStatus::idle);
}

TEST_F(SupervisionTreeTest, AnEscalationThatReachesTheRootEndsTheHost) {
  auto inner = nested("inner", {process("a")});
  auto outer = std::make_shared<SupervisorConfig>(*nested("outer", {inner}));
  outer->intensity = {0, 10s};
  auto root = root_of({outer}, Strategy::one_for_one, OnLimit::escalate);
  root.intensity = {0, 10s};
  start(std::move(root));
  crash_loop("a", 20);
  EXPECT_THAT(observer.events, testing::Contains("escalated inner"));
  EXPECT_THAT(observer.events, testing::Contains("escalated outer"));
  EXPECT_THAT(observer.events, testing::Contains("escalated root"));
  EXPECT_EQ(observer.host_end, 1);
  EXPECT_THAT(observer.host_end_reason, HasSubstr("exit code 1"));
}

TEST_F(SupervisionTreeTest, APolicyMayEscalateByItself) {
  auto config = process("a");
  config->restart.policy = "escalate";
  start(root_of({nested("pipe", {config, process("b")})}));
  exit("a", 1);
  EXPECT_THAT(observer.events, testing::Contains("escalated pipe"));
  EXPECT_EQ((*this)["b"].generation, 2u);
}

TEST_F(SupervisionTreeTest, APolicyThatGivesUpMakesOnlyItsProcessAnError) {
  auto config = process("a");
  config->restart.policy = "never";
  start(root_of({nested("pipe", {config, process("b")}, Strategy::one_for_all)}));
  exit("a", 1);
  EXPECT_EQ(status("a"), ProcessStatus::error);
  EXPECT_EQ((*this)["b"].generation, 1u);
}

// ---- auto_shutdown ----

std::shared_ptr<ProcessConfig> significant(std::string id, std::string policy = "on_failure") {
  auto config = process(std::move(id));
  config->significant = true;
  config->restart.policy = std::move(policy);
  return config;
}
std::shared_ptr<SupervisorConfig> stops_by_itself(AutoShutdown rule, std::vector<ChildConfig> children) {
  auto config = nested("job", std::move(children));
  config->auto_shutdown = rule;
  return config;
}

TEST_F(SupervisionTreeTest, AnySignificantChildThatEndsTakesItsSupervisorAlong) {
  start(root_of({stops_by_itself(AutoShutdown::any_significant, {process("db"), significant("main"), process("log", {"db"})}),
                 process("other")}));
  exit("main", 3);
  EXPECT_TRUE((*this)["main"].pid) << "a failure is restarted, and no end";
  exit("main", 0);
  for (const char* id : {"main", "db", "log"}) EXPECT_EQ(status(id), ProcessStatus::terminated) << id;
  EXPECT_THAT(terms(), ElementsAre("log", "db")) << "in reverse order";
  EXPECT_THAT((*this)["db"].reason, HasSubstr("stopped with its supervisor job"));
  EXPECT_EQ(tree->supervisor("job")->state, SupervisorState::stopped);
  EXPECT_THAT(tree->supervisor("job")->reason, HasSubstr("main"));
  EXPECT_EQ(status("other"), ProcessStatus::idle);
  EXPECT_FALSE(observer.host_end);
  EXPECT_TRUE(apply(Verb::start, "db").all_ok()) << "the operator may";
  EXPECT_EQ(tree->supervisor("job")->state, SupervisorState::running);
}

TEST_F(SupervisionTreeTest, AllSignificantChildrenMustHaveEnded) {
  start(root_of({stops_by_itself(AutoShutdown::all_significant,
                                 {significant("a"), significant("b"), significant("c"), process("helper")})}));
  exit("a", 0);
  apply(Verb::stop, "b");
  EXPECT_EQ(status("helper"), ProcessStatus::idle) << "c still runs";
  exit("c", 0);
  EXPECT_EQ(status("helper"), ProcessStatus::terminated);
}

TEST_F(SupervisionTreeTest, WhatTheOperatorStopsTakesNobodyAlong) {
  start(root_of({stops_by_itself(AutoShutdown::any_significant, {significant("main"), process("helper")})}));
  apply(Verb::stop, "main");
  EXPECT_EQ(status("helper"), ProcessStatus::idle);
}

TEST_F(SupervisionTreeTest, ASignificantSupervisorThatStoppedCountsForTheOneAboveAndInTheEndForTheHost) {
  auto job = stops_by_itself(AutoShutdown::any_significant, {significant("main"), process("helper")});
  job->significant = true;
  auto root = root_of({job, process("other")});
  root.auto_shutdown = AutoShutdown::all_significant;
  start(std::move(root));
  exit("main", 0);
  EXPECT_EQ(status("helper"), ProcessStatus::terminated);
  EXPECT_EQ(observer.host_end, 0);
  EXPECT_THAT(observer.host_end_reason, HasSubstr("job"));
}

TEST_F(SupervisionTreeTest, ASignificantChildInErrorEndsTheHostWithOne) {
  auto root = root_of({significant("main", "never"), process("other")});
  root.auto_shutdown = AutoShutdown::any_significant;
  start(std::move(root));
  exit("main", 3);
  EXPECT_EQ(observer.host_end, 1);
}

TEST_F(SupervisionTreeTest, ASupervisorsOwnEndOutlivesTheEngine) {
  start(root_of({stops_by_itself(AutoShutdown::any_significant, {process("slow"), significant("main")})}));
  keeper.ignores_term = {"slow"};
  exit("main", 0);
  ASSERT_EQ(status("slow"), ProcessStatus::stopping);
  crash();
  advance(10s);
  EXPECT_EQ(status("slow"), ProcessStatus::terminated);
  EXPECT_EQ(tree->supervisor("job")->state, SupervisorState::stopped);
}

}  // namespace
}  // namespace tenon::runtime
