// Stories of kill -9 of the engine: what runs goes on, what was under way is taken up, exits meanwhile count.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/fakes.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using test::nested;
using test::process;
using test::root_of;
using test::World;
using testing::ElementsAre;
using testing::IsEmpty;

struct AdoptionTest : testing::Test, World {};

TEST_F(AdoptionTest, WhatRunsGoesOnUntouched) {
  start(root_of({process("a"), process("b", {"a"})}));
  exit("a", 1);
  const auto pid = (*this)["a"].pid;
  EXPECT_THAT(crash(), IsEmpty());
  EXPECT_THAT(keeper.log, IsEmpty());
  EXPECT_THAT(observer.events, IsEmpty());
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ((*this)["a"].pid, pid);
  EXPECT_EQ((*this)["a"].total_restarts, 1u);
}

TEST_F(AdoptionTest, AnExitMeanwhileIsHandledWithItsTrueStatus) {
  start(root_of({process("a")}));
  crash(1s, [&] { keeper.exit("a", {3, 0}); });
  EXPECT_THAT(observer.events, ElementsAre("exited a: exit code 3", "restarting a", "starting a", "ready a"));
  EXPECT_EQ((*this)["a"].generation, 2u);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
}

TEST_F(AdoptionTest, AnExitThatWasNotedButNotForgottenCountsOnce) {
  start(root_of({process("a")}));
  exit("a", 1);
  keeper.lose_forgets = true;
  exit("a", 1);
  ASSERT_EQ(status("a"), ProcessStatus::initializing);
  keeper.lose_forgets = false;
  crash(10ms);
  EXPECT_THAT(observer.events, IsEmpty());
  EXPECT_EQ((*this)["a"].total_restarts, 2u);
  EXPECT_THAT(keeper.children, IsEmpty());
  advance(90ms);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
}

TEST_F(AdoptionTest, ARestartDelayGoesOnWhereItStood) {
  start(root_of({process("a")}));
  for (int i = 0; i < 3; ++i) {
    exit("a", 1);
    if (i < 2) advance(100ms);
  }
  ASSERT_EQ(status("a"), ProcessStatus::initializing);  // 200 ms
  crash(150ms);
  EXPECT_THAT(keeper.log, IsEmpty());
  advance(49ms);
  EXPECT_FALSE(keeper.runs("a"));
  advance(1ms);
  EXPECT_TRUE(keeper.runs("a"));
}

TEST_F(AdoptionTest, ARestartThatFellDueMeanwhileIsDoneAtOnce) {
  start(root_of({process("a")}));
  exit("a", 1);
  exit("a", 1);
  crash(1h);
  advance(0ms);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
}

TEST_F(AdoptionTest, TheRestartWindowSurvives) {
  start(root_of({process("a")}));
  for (int i = 0; i < 5; ++i) {
    exit("a", 1);
    advance(1600ms);
  }
  ASSERT_EQ(status("a"), ProcessStatus::idle);
  crash(100ms);
  exit("a", 1);
  EXPECT_EQ(status("a"), ProcessStatus::error);
}

TEST_F(AdoptionTest, ASharedWindowIsPutTogetherAgain) {
  start(root_of({nested("pipe", {process("a"), process("b")})}));
  for (const std::string id : {"a", "b", "a", "b", "a"}) {
    exit(id, 1);
    advance(500ms);
  }
  crash(100ms);
  EXPECT_EQ(tree->supervisor("pipe")->window.times().size(), 5u);
  exit("b", 1);
  EXPECT_THAT(observer.events, testing::Contains("escalated pipe"));
}

TEST_F(AdoptionTest, AnOperatorsPauseStays) {
  start(root_of({process("a")}));
  apply(Verb::pause, "a");
  crash(1h);
  EXPECT_EQ(status("a"), ProcessStatus::paused);
  EXPECT_TRUE(keeper.frozen("a"));
  EXPECT_TRUE(apply(Verb::resume, "a").all_ok());
  EXPECT_FALSE(keeper.frozen("a"));
  EXPECT_EQ(status("a"), ProcessStatus::idle);
}

TEST_F(AdoptionTest, AnOperatorsStopStays) {
  start(root_of({process("a"), process("b")}));
  apply(Verb::stop, "a");
  crash();
  advance(1h);
  EXPECT_EQ(status("a"), ProcessStatus::terminated);
  EXPECT_EQ((*this)["a"].reason, "stopped by the operator");
  EXPECT_EQ(status("b"), ProcessStatus::idle);
}

TEST_F(AdoptionTest, AnErrorStaysWithItsReason) {
  auto config = process("a");
  config->restart.policy = "never";
  start(root_of({config}));
  exit("a", 4);
  crash();
  EXPECT_EQ(status("a"), ProcessStatus::error);
  EXPECT_EQ((*this)["a"].reason, "exit code 4");
}

TEST_F(AdoptionTest, AStopUnderWayIsFinished) {
  keeper.ignores_term.insert("a");
  start(root_of({process("a")}));
  apply(Verb::stop, "a");
  crash(3s);
  EXPECT_EQ(status("a"), ProcessStatus::stopping);
  advance(1999ms);
  EXPECT_EQ(status("a"), ProcessStatus::stopping);
  advance(1ms);
  EXPECT_EQ(status("a"), ProcessStatus::terminated);
  EXPECT_EQ(keeper.log.back(), "signal a KILL");
}

TEST_F(AdoptionTest, AStopOfSeveralUnderWayIsFinished) {
  keeper.ignores_term.insert("web");
  start(root_of({process("db"), process("web", {"db"})}));
  apply(Verb::stop, "*");
  crash(1s);
  EXPECT_TRUE(keeper.runs("db")) << "web, which needs it, still runs";
  advance(4s);
  EXPECT_EQ(manager->count(ProcessStatus::terminated), 2u);
  EXPECT_FALSE(keeper.runs("db"));
}

TEST_F(AdoptionTest, ADrainUnderWayIsBegunAgain) {
  hooks.drains_at_once = false;
  start(root_of({process("a")}));
  apply(Verb::stop, "a");
  hooks.log.clear();
  hooks.drains_at_once = true;
  crash(1s);
  EXPECT_THAT(hooks.log, ElementsAre("drain a", "shutdown a"));
  EXPECT_EQ(status("a"), ProcessStatus::terminated);
}

TEST_F(AdoptionTest, TimeWithoutAnEngineDoesNotCountAgainstReadiness) {
  auto config = process("a");
  config->ready = {ReadyOn::event, 10s};
  start(root_of({config}));
  advance(9s);
  crash(1h);
  EXPECT_EQ(status("a"), ProcessStatus::initializing);
  advance(999ms);
  EXPECT_EQ((*this)["a"].generation, 1u);
  manager->notify_ready("a", 1);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
}

TEST_F(AdoptionTest, ASpawnWhoseAnswerNobodyReadIsNotRepeated) {
  keeper.answer_spawns = false;
  start(root_of({process("a")}));
  ASSERT_EQ(status("a"), ProcessStatus::initializing);
  crash();
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ((*this)["a"].generation, 1u);
  EXPECT_EQ((*this)["a"].reason, "") << "it starts no more";
  EXPECT_THAT(keeper.log, IsEmpty());
}

TEST_F(AdoptionTest, ARestartThatDidNotReachTheKeeperIsCountedOnceAndDone) {
  start(root_of({process("a")}));
  keeper.lose_spawns = keeper.lose_forgets = true;  // the engine dies when it has saved the label
  exit("a", 3);
  keeper.lose_spawns = keeper.lose_forgets = false;
  crash();
  EXPECT_THAT(observer.events, ElementsAre("starting a", "ready a")) << "the exit is no news";
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ((*this)["a"].total_restarts, 1u);
  EXPECT_EQ((*this)["a"].consecutive, 1u);
}

TEST_F(AdoptionTest, ARestartThatDidNotReachTheKeeperWaitsForNobodyWhoseTurnIsOver) {
  start(root_of({process("broker"), process("web", {"broker"})}));
  apply(Verb::stop, "broker");
  keeper.lose_spawns = keeper.lose_forgets = true;
  exit("web", 3);
  keeper.lose_spawns = keeper.lose_forgets = false;
  crash();
  EXPECT_EQ(status("web"), ProcessStatus::idle);
}

// The engine dies when it has saved the label, before the signal goes out.
struct UnsentSignal : AdoptionTest {
  void SetUp() override {
    start(root_of({process("a")}));
    // As the label is when the keeper has it and not the signal.
    keeper.on_signal = [this] { before_signal = keeper.labels["a"]; };
  }
  void crash_before_signal() {
    keeper.labels["a"] = before_signal;
    keeper.lose_signals = false;
    crash();
  }
  std::string before_signal;
};

TEST_F(UnsentSignal, OfAStopIsSentByTheSuccessor) {
  keeper.lose_signals = true;
  manager->stop_process("a", {});
  turn();
  crash_before_signal();
  EXPECT_THAT(keeper.log, ElementsAre("signal a CONT", "signal a TERM"));
  turn();
  EXPECT_EQ(status("a"), ProcessStatus::terminated);
}

TEST_F(UnsentSignal, OfARestartCountsForNoFailure) {
  manager->restart("a", {});  // sent, and the process ends before a successor comes
  crash_before_signal();
  turn();
  EXPECT_THAT(observer.events, testing::Not(testing::Contains("restarting a")));
  EXPECT_EQ((*this)["a"].total_restarts, 0u);
  EXPECT_EQ((*this)["a"].generation, 2u);
}

TEST_F(UnsentSignal, OfAKillIsSentByTheSuccessor) {
  keeper.ignores_term = {"a"};
  manager->stop_process("a", {});
  turn();
  keeper.lose_signals = true;
  advance(5s);
  crash_before_signal();
  EXPECT_EQ(status("a"), ProcessStatus::terminated);
}

TEST_F(UnsentSignal, OfAPauseAndOfAResumeToo) {
  keeper.lose_signals = true;
  manager->pause("a", {});
  ASSERT_FALSE(keeper.frozen("a"));
  crash_before_signal();
  EXPECT_EQ(status("a"), ProcessStatus::paused);
  EXPECT_TRUE(keeper.frozen("a"));
  keeper.lose_signals = true;
  manager->resume("a", {});
  crash_before_signal();
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_FALSE(keeper.frozen("a"));
}

TEST_F(UnsentSignal, IsNotSentTwice) {
  keeper.ignores_term = {"a"};
  manager->stop_process("a", {});
  turn();
  crash();
  EXPECT_THAT(keeper.log, IsEmpty());
}

TEST_F(AdoptionTest, ASpawnThatTheLabelDoesNotKnowYetIsTakenOver) {
  start(root_of({process("a")}));
  const std::string before = keeper.labels["a"];
  exit("a", 1);
  keeper.labels["a"] = before;  // the engine died before it could save
  crash();
  EXPECT_EQ((*this)["a"].generation, 2u);
  EXPECT_EQ((*this)["a"].reason, "");
  EXPECT_EQ(status("a"), ProcessStatus::idle);
}

TEST_F(AdoptionTest, AProcessWithoutALabelIsLeftRunning) {
  auto config = process("a");
  config->ready = {ReadyOn::event, 10s};
  start(root_of({config}));
  keeper.labels.clear();
  crash();
  advance(1h);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ((*this)["a"].generation, 1u);
}

TEST_F(AdoptionTest, WhatWaitedForADependencyIsStartedWhenThatIsReady) {
  auto broker = process("broker");
  broker->ready = {ReadyOn::event, 10s};
  start(root_of({broker, process("web", {"broker"})}));
  crash();
  EXPECT_EQ(status("web"), ProcessStatus::initializing);
  EXPECT_EQ((*this)["web"].reason, "waiting for broker");
  manager->notify_ready("broker", 1);
  turn();
  EXPECT_EQ(status("web"), ProcessStatus::idle);
}

TEST_F(AdoptionTest, NewProcessesAreStartedAndVanishedOnesNamed) {
  start(root_of({process("a"), process("old")}));
  loaded_config = root_of({process("a"), process("fresh")});
  EXPECT_THAT(crash(), ElementsAre("old"));
  EXPECT_EQ(status("fresh"), ProcessStatus::idle);
  EXPECT_EQ((*this)["a"].generation, 1u);
}

TEST_F(AdoptionTest, AGroupRestartUnderWayIsTakenUp) {
  keeper.ignores_term.insert("c");
  start(root_of({process("a"), process("b"), process("c")}, Strategy::one_for_all));
  exit("b", 1);  // b is down, c has its signal, a waits for its turn
  ASSERT_EQ(tree->root()->state, SupervisorState::restarting);
  crash(1s);
  EXPECT_EQ(tree->root()->state, SupervisorState::restarting);
  advance(4s);
  EXPECT_EQ(manager->count(ProcessStatus::idle), 3u);
  for (const std::string id : {"a", "b", "c"}) EXPECT_EQ((*this)[id].generation, 2u) << id;
  EXPECT_EQ(tree->root()->state, SupervisorState::running);
}

TEST_F(AdoptionTest, ARestartOfSeveralUnderWayIsTakenUp) {
  for (const bool exits_meanwhile : {false, true}) {
    start(root_of({process("db"), process("web", {"db"})}));
    keeper.ignores_term = {"web"};
    apply(Verb::restart, "*");
    ASSERT_EQ(status("web"), ProcessStatus::stopping);
    crash(1s, [&] {
      if (exits_meanwhile) keeper.exit("web", {0, 0});
    });
    advance(10s);
    EXPECT_EQ(status("db"), ProcessStatus::idle);
    EXPECT_EQ(status("web"), ProcessStatus::idle);
    EXPECT_EQ((*this)["web"].generation, 2u);
    end(), keeper.children.clear(), keeper.labels.clear(), boot();
  }
}

TEST_F(AdoptionTest, AnEscalationUnderWayIsTakenUp) {
  keeper.ignores_term.insert("b");
  auto pipe = nested("pipe", {process("a"), process("b")});
  std::const_pointer_cast<SupervisorConfig>(pipe)->intensity = {0, 10s};
  start(root_of({pipe}));
  exit("a", 1);
  ASSERT_EQ(tree->supervisor("pipe")->state, SupervisorState::escalating);
  crash(1s);
  advance(4s);
  EXPECT_EQ(tree->supervisor("pipe")->state, SupervisorState::running);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ((*this)["b"].generation, 2u);
}

TEST_F(AdoptionTest, ASecondCrashRightAfterTheFirstLosesNothing) {
  start(root_of({process("a"), process("b")}));
  exit("a", 1);
  apply(Verb::pause, "b");
  crash(10ms);
  crash(10ms, [&] { keeper.exit("a", {2, 0}); });
  EXPECT_EQ((*this)["a"].total_restarts, 2u);
  EXPECT_EQ(status("b"), ProcessStatus::paused);
}

TEST_F(AdoptionTest, OneThatMustBeReplacedStartsAgainAtOnceAndCountsNothing) {
  auto config = process("a");
  config->restart.policy = "never";
  start(root_of({config}));
  crash();
  manager->replace("a", "the engine died in a write");
  turn();
  EXPECT_EQ((*this)["a"].generation, 2u);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ((*this)["a"].total_restarts, 0u);
  EXPECT_TRUE(policies.asked.empty());
}

TEST_F(AdoptionTest, OneThatTheOperatorStopsStaysDownWhenItMustBeReplaced) {
  keeper.ignores_term.insert("a");
  start(root_of({process("a")}));
  apply(Verb::stop, "a");
  ASSERT_EQ(status("a"), ProcessStatus::stopping);
  crash();
  manager->replace("a", "the engine died in a write");
  EXPECT_EQ(status("a"), ProcessStatus::stopping) << "its grace is its own";
  advance(5s);
  turn();
  EXPECT_EQ(status("a"), ProcessStatus::terminated);
  EXPECT_FALSE(keeper.runs("a"));
}

TEST_F(AdoptionTest, APausedOneThatMustBeReplacedIsStartedByItsResume) {
  start(root_of({process("a")}));
  apply(Verb::pause, "a");
  crash();
  manager->replace("a", "the engine died in a write");
  turn();
  EXPECT_EQ(status("a"), ProcessStatus::paused);
  EXPECT_FALSE(keeper.runs("a"));
  crash();
  EXPECT_EQ(status("a"), ProcessStatus::paused);
  EXPECT_TRUE(apply(Verb::resume, "a").all_ok());
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ((*this)["a"].generation, 2u);
}

TEST_F(AdoptionTest, AThousandRunningProcessesAreAdoptedWithoutASpawnOrSignal) {
  std::vector<ChildConfig> children;
  for (int i = 0; i < 1000; ++i) children.push_back(process("w" + std::to_string(i)));
  start(root_of(std::move(children)));
  crash();
  EXPECT_THAT(keeper.log, IsEmpty());
  EXPECT_EQ(manager->count(ProcessStatus::idle), 1000u);
}

}  // namespace
}  // namespace tenon::runtime
