// Stories of how a process is stopped: drain, the shutdown event, signal, grace, kill, and what interrupts it.
#include "runtime/process_manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/process_manager_fixture.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using test::process;
using test::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Answer = test::World::Answer;

struct ProcessStopTest : test::ProcessManagerFixture {};

TEST_F(ProcessStopTest, AStopDrainsThenSaysSoThenSignals) {
  hooks.drains_at_once = false;
  spawn(process("w"));
  const Answer answer = stop("w");
  EXPECT_EQ(status("w"), ProcessStatus::stopping);
  EXPECT_THAT(hooks.log, ElementsAre("drain w"));
  hooks.pending["w"]();
  EXPECT_THAT(hooks.log, ElementsAre("drain w", "shutdown w"));
  EXPECT_EQ(keeper.log.back(), "signal w TERM");
  turn();
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
  EXPECT_EQ((*this)["w"].reason, "stopped by the operator");
  EXPECT_TRUE(policies.asked.empty());
  hooks.pending["w"]();  // again, and too late
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
}

TEST_F(ProcessStopTest, ADrainThatDoesNotEndIsCutOff) {
  hooks.drains_at_once = false;
  spawn(process("w"));
  const Answer answer = stop("w");
  advance(2s);
  EXPECT_TRUE(answer.ok());
}

TEST_F(ProcessStopTest, OneThatIgnoresTermIsKilledAfterTheGrace) {
  keeper.ignores_term.insert("w");
  spawn(process("w"));
  const Answer answer = stop("w");
  advance(4999ms);
  EXPECT_FALSE(answer.answered());
  EXPECT_EQ(status("w"), ProcessStatus::stopping);
  advance(1ms);
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(keeper.log.back(), "signal w KILL");
}

TEST_F(ProcessStopTest, OneThatNotEvenKillMovesIsNamedWithinABound) {
  keeper.immortal.insert("w");
  spawn(process("w"));
  const Answer first = stop("w");
  advance(5s + ProcessManager::kKillBound);
  EXPECT_EQ(first.code(), errc::timeout);
  EXPECT_THAT(first.text(), HasSubstr("w (pid 101) does not die"));
  EXPECT_EQ(status("w"), ProcessStatus::stopping);
  const Answer second = stop("w");
  EXPECT_EQ(second.code(), errc::timeout);
  keeper.exit("w", {0, SIGKILL});
  turn();
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
}

TEST_F(ProcessStopTest, AGraceOfZeroKillsAtOnce) {
  auto config = process("w");
  config->stop = {SIGTERM, 0s, 0s};
  spawn(config);
  EXPECT_TRUE(stop("w").ok());
  EXPECT_EQ(keeper.log.back(), "signal w KILL");
}

TEST_F(ProcessStopTest, OneThatCannotBeFollowedIsKilledAndItsPolicyTold) {
  auto config = process("w");
  config->restart.policy = "never";
  spawn(config);
  manager->cut_off("w", 7, "of another incarnation");
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  manager->cut_off("w", 1, "channel: it does not speak packet4");
  turn();
  EXPECT_EQ(status("w"), ProcessStatus::error);
  EXPECT_THAT((*this)["w"].reason, HasSubstr("it does not speak packet4"));
  ASSERT_EQ(policies.asked.size(), 1u);
  EXPECT_EQ(policies.asked[0].ended, EndCause::channel);
  EXPECT_THAT(keeper.log, ElementsAre("spawn w", "signal w KILL"));
}

TEST_F(ProcessStopTest, OneThatCannotBeFollowedWhileItIsStoppedIsStoppedAsEver) {
  keeper.ignores_term = {"w"};
  spawn(process("w"));
  stop("w");
  manager->cut_off("w", 1, "channel: it does not speak packet4");
  EXPECT_EQ(status("w"), ProcessStatus::stopping);
  advance(1min);
  EXPECT_THAT((*this)["w"].reason, testing::Not(HasSubstr("packet4")));
}

TEST_F(ProcessStopTest, AStopDuringTheBackOffCancelsTheRestart) {
  spawn(process("w"));
  exit("w", 1);
  exit("w", 1);
  ASSERT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_TRUE(stop("w").ok());
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
  advance(1h);
  EXPECT_FALSE(keeper.runs("w"));
  EXPECT_EQ(loop.live_timers(), 0u);
}

TEST_F(ProcessStopTest, AStopWhileSpawningWaitsForNothing) {
  keeper.answer_spawns = false;
  const Answer started = spawn(process("w"));
  const Answer stopped = stop("w");
  EXPECT_EQ(started.code(), errc::cancelled);
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
  EXPECT_TRUE(stopped.ok());
}

TEST_F(ProcessStopTest, ASpawnThatFailsWhileItIsStoppedEndsTheStop) {
  keeper.answer_spawns = false;
  keeper.immortal.insert("w");
  spawn(process("w"));
  const Answer stopped = stop("w");
  manager->on_spawn_failed("w", 1, "exec", EAGAIN);
  EXPECT_TRUE(stopped.ok());
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
}

TEST_F(ProcessStopTest, AStartDuringAStopFollowsIt) {
  keeper.ignores_term.insert("w");
  spawn(process("w"));
  const Answer stopped = stop("w");
  const Answer started = start("w");
  EXPECT_FALSE(started.answered());
  advance(5s);
  EXPECT_TRUE(stopped.ok());
  EXPECT_TRUE(started.ok());
  EXPECT_EQ((*this)["w"].generation, 2u);
}

TEST_F(ProcessStopTest, StopAndStartOfWhatIsSoAlreadyAreDone) {
  spawn(process("w"));
  EXPECT_TRUE(start("w").ok());
  EXPECT_TRUE(stop("w").ok());
  EXPECT_TRUE(stop("w").ok());
  EXPECT_EQ(start("nobody").code(), errc::not_found);
}

TEST_F(ProcessStopTest, AnExitByItselfDuringTheDrainEndsTheStop) {
  hooks.drains_at_once = false;
  spawn(process("w"));
  const Answer answer = stop("w");
  exit("w", 0);
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
}

}  // namespace
}  // namespace tenon::runtime
