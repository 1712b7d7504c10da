// Stories of selectors, verbs on several processes, idleness and the end.
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

struct SupervisionVerbsTest : test::SupervisionTreeFixture {};

// ---- selectors and verbs ----

TEST_F(SupervisionVerbsTest, SelectorsAreIdsBaseIdsSupervisorsAndGlobs) {
  auto replica = [](int n) {
    auto config = process("counter." + std::to_string(n));
    config->base_id = "counter";
    return config;
  };
  load(root_of({replica(1), replica(2), nested("pipe", {process("a"), process("b")}), process("web")}));
  EXPECT_THAT(tree->resolve("counter.2").value(), ElementsAre("counter.2"));
  EXPECT_THAT(tree->resolve("counter").value(), ElementsAre("counter.1", "counter.2"));
  EXPECT_THAT(tree->resolve("pipe").value(), ElementsAre("a", "b"));
  EXPECT_THAT(tree->resolve("root").value(), ElementsAre("counter.1", "counter.2", "a", "b", "web"));
  EXPECT_THAT(tree->resolve("c*.1").value(), ElementsAre("counter.1"));
  EXPECT_THAT(tree->resolve("p?pe").value(), ElementsAre("a", "b"));
  EXPECT_THAT(tree->resolve(std::vector<std::string>{"web", "counter.1", "counter"}).value(),
              ElementsAre("web", "counter.1", "counter.2"));
  EXPECT_THAT(tree->resolve("wep").error().message, HasSubstr("did you mean \"web\"?"));
  EXPECT_EQ(tree->resolve("x*").error().code, errc::not_found);
}

TEST_F(SupervisionVerbsTest, VerbsOnSeveralKeepTheOrderOfTheTree) {
  start(root_of({process("db"), process("web", {"db"})}));
  keeper.log.clear();
  EXPECT_TRUE(apply(Verb::restart, "*").all_ok());
  EXPECT_THAT(keeper.log, ElementsAre("signal web TERM", "signal db TERM", "spawn db", "spawn web"));
  keeper.log.clear();
  EXPECT_TRUE(apply(Verb::stop, "root").all_ok());
  EXPECT_THAT(terms(), ElementsAre("web", "db"));
  EXPECT_TRUE(apply(Verb::start, "root").all_ok());
  EXPECT_THAT(spawned(), ElementsAre("db", "web"));
}

TEST_F(SupervisionVerbsTest, ARestartOfOneRestartsThatOneOnly) {
  start(root_of({process("a"), process("b")}, Strategy::one_for_all));
  EXPECT_TRUE(apply(Verb::restart, "a").all_ok());
  EXPECT_EQ((*this)["a"].generation, 2u);
  EXPECT_EQ((*this)["b"].generation, 1u);
}

TEST_F(SupervisionVerbsTest, ARestartOfWhatHasEndedLooksAtItsDependenciesAsAStartDoes) {
  start(root_of({process("db"), process("web", {"db"})}));
  apply(Verb::stop, "*");
  const auto answer = apply(Verb::restart, "web");
  EXPECT_THAT((**answer.outcomes)[0].status.error().message, HasSubstr("web waits for db, which does not run"));
  EXPECT_FALSE((*this)["web"].pid);
  EXPECT_TRUE(apply(Verb::start, "db").all_ok());
  EXPECT_EQ(status("web"), ProcessStatus::idle);
}

TEST_F(SupervisionVerbsTest, AStopDuringARestartOfSeveralIsTheNewerWish) {
  start(root_of({process("a"), process("b")}));
  keeper.ignores_term = {"b"};
  const auto restart = apply(Verb::restart, "*");
  apply(Verb::stop, "a");
  advance(5s);
  ASSERT_TRUE(restart.answered());
  EXPECT_FALSE(restart.all_ok());
  EXPECT_EQ(status("a"), ProcessStatus::terminated);
  EXPECT_EQ(status("b"), ProcessStatus::idle);
}

TEST_F(SupervisionVerbsTest, AResumeStartsWhatWasPausedDuringARestartOfSeveral) {
  start(root_of({process("a"), process("b")}));
  keeper.ignores_term = {"b"};
  apply(Verb::restart, "*");
  apply(Verb::pause, "a");
  advance(5s);
  EXPECT_EQ(status("a"), ProcessStatus::paused);
  EXPECT_TRUE(apply(Verb::resume, "a").all_ok());
  EXPECT_EQ(status("a"), ProcessStatus::idle);
}

TEST_F(SupervisionVerbsTest, ARestartOfSeveralEndsPausesAndStartsWhatWasStopped) {
  start(root_of({process("a"), process("b")}));
  apply(Verb::pause, "a");
  apply(Verb::stop, "b");
  EXPECT_TRUE(apply(Verb::restart, "*").all_ok());
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ(status("b"), ProcessStatus::idle);
}

TEST_F(SupervisionVerbsTest, PauseResumeAndKillReachAllNamed) {
  start(root_of({process("a"), process("b")}));
  EXPECT_TRUE(apply(Verb::pause, "root").all_ok());
  EXPECT_EQ(manager->count(ProcessStatus::paused), 2u);
  EXPECT_TRUE(apply(Verb::resume, "root").all_ok());
  EXPECT_TRUE(apply(Verb::kill, "root", SIGKILL).all_ok());
  EXPECT_EQ((*this)["a"].generation, 2u);
  EXPECT_EQ((*this)["b"].generation, 2u);
}

TEST_F(SupervisionVerbsTest, AStartThatWaitsForSomethingDeadSaysSo) {
  auto broker = process("broker");
  broker->restart.policy = "never";
  broker->ready = {ReadyOn::event, 10s};
  start(root_of({broker, process("web", {"broker"})}));
  exit("broker", 1);
  ASSERT_EQ(status("broker"), ProcessStatus::error);
  const VerbAnswer answer = apply(Verb::start, "web");
  ASSERT_TRUE(answer.answered());
  EXPECT_THAT((**answer.outcomes)[0].status.error().message, HasSubstr("web waits for broker, which does not run"));
}

TEST_F(SupervisionVerbsTest, AStartWaitsForWhatTheOperatorStopped) {
  start(root_of({process("base"), process("top", {"base"})}));
  apply(Verb::stop, "base");
  apply(Verb::stop, "top");
  keeper.log.clear();
  const VerbAnswer answer = apply(Verb::start, "top");
  ASSERT_TRUE(answer.answered());
  const Status& refused = (**answer.outcomes)[0].status;
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("top waits for base, which does not run; start that first"));
  EXPECT_THAT(spawned(), IsEmpty());
  crash();
  EXPECT_THAT(spawned(), IsEmpty()) << "the next engine knows it too";
  EXPECT_TRUE(apply(Verb::start, "base").all_ok());
  EXPECT_THAT(spawned(), ElementsAre("base", "top"));
}

TEST_F(SupervisionVerbsTest, AStartIsRefusedWhileWhatItNeedsIsBeingStopped) {
  keeper.ignores_term.insert("base");
  start(root_of({process("base"), process("top", {"base"})}));
  apply(Verb::stop, "top");
  apply(Verb::stop, "base");
  const VerbAnswer answer = apply(Verb::start, "top");
  ASSERT_TRUE(answer.answered());
  EXPECT_FALSE(answer.all_ok());
  EXPECT_FALSE(keeper.runs("top"));
}

TEST_F(SupervisionVerbsTest, AStartGoesOnAfterWhatDiedByItselfAndWhatIsDone) {
  auto base = process("base");
  base->restart.policy = "never";
  auto task = process("task");
  task->restart.policy = "on_failure";
  task->ready = {ReadyOn::exit, 10s};
  start(root_of({base, task, process("top", {"base", "task"})}));
  exit("task", 0);
  ASSERT_EQ(status("top"), ProcessStatus::idle);
  exit("base", 1);
  ASSERT_EQ(status("base"), ProcessStatus::error);
  apply(Verb::stop, "task");
  apply(Verb::stop, "top");
  EXPECT_TRUE(apply(Verb::start, "top").all_ok());
  EXPECT_EQ(status("top"), ProcessStatus::idle);
}

// ---- a stop of several ----

TEST_F(SupervisionVerbsTest, AStopOfSeveralEndsAGroupRestartThatWasUnderWay) {
  keeper.ignores_term.insert("s2");
  start(root_of({nested("group", {process("s1"), process("s2")}, Strategy::rest_for_one)}));
  kill("s1");
  ASSERT_EQ(status("s2"), ProcessStatus::stopping) << "to be started anew after s1";
  keeper.log.clear();
  const VerbAnswer stopped = apply(Verb::stop, "group");
  advance(1min);
  EXPECT_TRUE(stopped.all_ok());
  EXPECT_THAT(spawned(), IsEmpty());
  EXPECT_EQ(manager->count(ProcessStatus::terminated), 2u);
  EXPECT_TRUE(apply(Verb::start, "group").all_ok());
  EXPECT_EQ(manager->count(ProcessStatus::idle), 2u);
}

TEST_F(SupervisionVerbsTest, WhatEndsBeforeItsTurnInAStopOfSeveralStaysDown) {
  keeper.ignores_term.insert("web");
  start(root_of({process("db"), process("cache"), process("web", {"db", "cache"})}));
  exit("cache", 1);
  exit("cache", 1);
  ASSERT_NE((*this)["cache"].due, MonotonicTime{}) << "its restart waits";
  keeper.log.clear();
  const VerbAnswer stopped = apply(Verb::stop, "*");
  exit("db", 3);
  EXPECT_EQ((*this)["db"].reason, "exit code 3, not restarted: stopped by the operator");
  advance(1min);
  EXPECT_TRUE(stopped.all_ok());
  EXPECT_THAT(spawned(), IsEmpty());
  EXPECT_EQ(manager->count(ProcessStatus::terminated), 3u);
}

TEST_F(SupervisionVerbsTest, APausedProcessStaysPausedUntilItsTurnInAStopOfSeveral) {
  keeper.ignores_term.insert("web");
  start(root_of({process("db"), process("web", {"db"})}));
  apply(Verb::pause, "db");
  const VerbAnswer stopped = apply(Verb::stop, "*");
  EXPECT_EQ(status("db"), ProcessStatus::paused);
  advance(1min);
  EXPECT_TRUE(stopped.all_ok());
  EXPECT_EQ(status("db"), ProcessStatus::terminated);
}

// ---- idle ----

TEST_F(SupervisionVerbsTest, IsIdleWhenWorkersAreIdleAndTasksHaveEnded) {
  auto task = process("task");
  task->restart.policy = "on_failure";
  start(root_of({task, process("worker")}));
  const auto must_end = [](const ProcessHandle& each) { return each.id() == "task"; };
  EXPECT_FALSE(tree->idle(must_end));
  EXPECT_TRUE(tree->idle({}));
  manager->set_in_flight("worker", 1);
  exit("task", 0);
  EXPECT_FALSE(tree->idle(must_end));
  manager->set_in_flight("worker", 0);
  EXPECT_TRUE(tree->idle(must_end));
  EXPECT_FALSE(tree->any_in_error());
}

TEST_F(SupervisionVerbsTest, IsNotIdleWhileARestartIsDue) {
  start(root_of({process("w")}));
  exit("w", 1);
  exit("w", 1);
  EXPECT_FALSE(tree->idle({}));
}

TEST_F(SupervisionVerbsTest, WaitingForSomethingThatFailedKeepsNobodyFromEnding) {
  auto broker = on_event("broker");
  broker->restart.policy = "never";
  start(root_of({broker, process("mid", {"broker"}), process("web", {"mid"})}));
  EXPECT_FALSE(tree->idle({}));
  exit("broker", 1);
  EXPECT_TRUE(tree->idle({}));
  EXPECT_TRUE(tree->any_in_error());
}

// ---- the end ----

TEST_F(SupervisionVerbsTest, PastTheBoundEverythingLeftIsKilled) {
  keeper.ignores_term = {"a", "b"};
  auto slow = process("a");
  slow->stop.grace = 1h;
  start(root_of({slow, process("b", {"a"})}));
  std::optional<Status> result;
  tree->stop_all(3s, [&](Status status) { result = status; });
  advance(2999ms);
  EXPECT_FALSE(result.has_value());
  advance(1ms);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->ok());
}

TEST_F(SupervisionVerbsTest, WhatNotEvenKillMovesIsNamedAndDoesNotHangTheEnd) {
  keeper.immortal.insert("b");
  start(root_of({process("a"), process("b", {"a"})}));
  std::optional<Status> result;
  tree->stop_all(1s, [&](Status status) { result = status; });
  advance(1s + ProcessManager::kKillBound);
  ASSERT_TRUE(result.has_value());
  EXPECT_THAT(result->error().message, HasSubstr("b (pid "));
}

TEST_F(SupervisionVerbsTest, NothingIsStartedOnceTheEndHasBegun) {
  keeper.ignores_term.insert("b");
  start(root_of({process("a"), process("b", {"a"}), on_event("c"), process("d", {"c"})}));
  tree->stop_all(1min, {});
  keeper.log.clear();
  exit("a", 1);
  EXPECT_FALSE(apply(Verb::start, "d").all_ok());
  advance(1min);
  EXPECT_THAT(spawned(), IsEmpty());
  EXPECT_EQ(manager->count(ProcessStatus::terminated), 4u);
}

TEST_F(SupervisionVerbsTest, ARestartDelayThatEndsDuringTheEndStartsNothing) {
  keeper.ignores_term.insert("web");
  start(root_of({process("broker"), process("web", {"broker"})}));
  exit("broker", 1);
  exit("broker", 1);
  ASSERT_NE((*this)["broker"].due, MonotonicTime{}) << "its restart waits";
  keeper.log.clear();
  tree->stop_all(1min, {});
  advance(1s);  // web, which goes first, uses its grace
  EXPECT_THAT(spawned(), IsEmpty());
  advance(1min);
  EXPECT_EQ(status("broker"), ProcessStatus::terminated);
  EXPECT_EQ((*this)["broker"].reason, "the host stops");
}

TEST_F(SupervisionVerbsTest, HoweverManyWaitForAStopTheNextInOrderWaitsForTheRealOne) {
  keeper.ignores_term.insert("web");
  start(root_of({process("broker"), process("web", {"broker"})}));
  std::vector<VerbAnswer> impatient;
  for (int i = 0; i < 100; ++i) impatient.push_back(apply(Verb::stop, "web"));
  const VerbAnswer both = apply(Verb::stop, "*");
  tree->stop_all(1min, {});
  turn();
  EXPECT_TRUE(keeper.runs("broker")) << "web, which needs it, still runs";
  for (const VerbAnswer& answer : impatient) EXPECT_FALSE(answer.answered());
  advance(1min);
  EXPECT_TRUE(both.all_ok());
  for (const VerbAnswer& answer : impatient) EXPECT_TRUE(answer.all_ok());
  EXPECT_FALSE(keeper.runs("broker"));
}

TEST_F(SupervisionVerbsTest, WhoWaitsForAPausedOneWaitsOnThroughADeathOfTheEngine) {
  start(root_of({on_event("db"), process("broker", {"db"}), process("web", {"broker"})}));
  manager->notify_ready("db", 1);
  turn();
  apply(Verb::stop, "*");
  apply(Verb::start, "*");
  apply(Verb::pause, "broker");
  manager->notify_ready("db", 2);
  turn();
  ASSERT_EQ((*this)["broker"].reason, "paused by the operator before it was started");
  crash();
  EXPECT_THAT(spawned(), testing::IsEmpty());
  EXPECT_EQ((*this)["web"].reason, "waiting for broker");
  EXPECT_TRUE(apply(Verb::resume, "broker").all_ok());
  EXPECT_THAT(spawned(), ElementsAre("broker", "web"));
}

TEST_F(SupervisionVerbsTest, WhatEndsDuringTheEndIsNotSaidToBeRestarted) {
  policies.text = "next in 2 s";
  keeper.ignores_term.insert("web");
  start(root_of({process("broker"), process("web", {"broker"})}));
  tree->stop_all(1min, {});
  exit("broker", 3);
  EXPECT_EQ((*this)["broker"].reason, "exit code 3, not restarted: the host stops");
}

TEST_F(SupervisionVerbsTest, TooManyVerbsAtOnceAreRefused) {
  keeper.ignores_term.insert("web");
  start(root_of({process("web")}));
  std::vector<VerbAnswer> waiting;
  for (std::size_t i = 0; i < SupervisionTree::kMaxVerbs; ++i) waiting.push_back(apply(Verb::stop, "web"));
  const VerbAnswer refused = apply(Verb::stop, "web");
  ASSERT_TRUE(refused.answered());
  EXPECT_EQ((**refused.outcomes)[0].status.error().code, errc::exhausted);
  advance(1min);
  for (const VerbAnswer& answer : waiting) EXPECT_TRUE(answer.all_ok());
  EXPECT_TRUE(apply(Verb::stop, "web").all_ok());
}

TEST_F(SupervisionVerbsTest, AnEmptyTreeStopsAtOnce) {
  start(root_of({}));
  bool done = false;
  tree->stop_all(1s, [&](Status status) { done = status.ok(); });
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace tenon::runtime
