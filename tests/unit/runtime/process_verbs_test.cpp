// Stories of what an operator does to single processes, of health checks and labels.
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
using Answer = test::World::Answer;

struct ProcessVerbsTest : test::ProcessManagerFixture {};

// ---- restart, error, start ----

TEST_F(ProcessVerbsTest, AnOperatorsRestartCountsAgainstNothing) {
  spawn(process("w"));
  const Answer answer = restart("w");
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ((*this)["w"].generation, 2u);
  EXPECT_EQ((*this)["w"].total_restarts, 0u);
  EXPECT_TRUE(policies.asked.empty());
}

TEST_F(ProcessVerbsTest, AStartIsTheWayOutOfErrorWithAFreshHistory) {
  auto config = process("w");
  config->restart.policy = "never";
  spawn(config);
  exit("w", 1);
  ASSERT_EQ(status("w"), ProcessStatus::error);
  EXPECT_TRUE(start("w").ok());
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  exit("w", 1);
  EXPECT_EQ(policies.asked.back().memory[0], 0u);
}

TEST_F(ProcessVerbsTest, AStartDuringTheBackOffDoesNotWaitForIt) {
  spawn(process("w"));
  exit("w", 1);
  exit("w", 1);
  EXPECT_TRUE(start("w").ok());
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ProcessVerbsTest, AnswersMayCallBackAndRemove) {
  spawn(process("w"));
  bool removed = false;
  manager->stop_process("w", [&](Status) { removed = manager->remove("w").ok(); });
  turn();
  EXPECT_TRUE(removed);
  EXPECT_EQ(manager->find("w"), nullptr);
  EXPECT_TRUE(keeper.labels.empty());
}

TEST_F(ProcessVerbsTest, WhatRunsCannotBeRemoved) {
  spawn(process("w"));
  EXPECT_EQ(manager->remove("w").error().code, errc::wrong_state);
}

TEST_F(ProcessVerbsTest, ThoseWhoWaitForAProcessAreLimited) {
  auto config = process("w");
  config->ready = {ReadyOn::event, 0s};
  spawn(config);
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < ProcessManager::kMaxWaiters; ++i) answers.push_back(start("w"));
  EXPECT_EQ(answers.back().code(), errc::exhausted);
  EXPECT_FALSE(answers.front().answered());
}

// ---- pause and resume ----

TEST_F(ProcessVerbsTest, APauseStopsTheGroupAndAResumeContinuesIt) {
  spawn(process("w"));
  EXPECT_TRUE(pause("w").ok());
  EXPECT_EQ(status("w"), ProcessStatus::paused);
  EXPECT_TRUE(keeper.frozen("w"));
  EXPECT_TRUE(pause("w").ok());
  EXPECT_TRUE(resume("w").ok());
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_FALSE(keeper.frozen("w"));
}

TEST_F(ProcessVerbsTest, APausedProcessIsContinuedBeforeItIsStopped) {
  spawn(process("w"));
  pause("w");
  keeper.log.clear();
  EXPECT_TRUE(stop("w").ok());
  EXPECT_THAT(keeper.log, ElementsAre("signal w CONT", "signal w TERM"));
}

TEST_F(ProcessVerbsTest, APauseStopsTheClockOfReadiness) {
  auto config = process("w");
  config->ready = {ReadyOn::event, 10s};
  spawn(config);
  advance(9s);
  pause("w");
  advance(1h);
  EXPECT_EQ(status("w"), ProcessStatus::paused);
  resume("w");
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  advance(999ms);
  EXPECT_TRUE(keeper.runs("w"));
  EXPECT_EQ((*this)["w"].generation, 1u);
  advance(1ms);
  EXPECT_EQ((*this)["w"].generation, 2u);
}

TEST_F(ProcessVerbsTest, APauseHoldsBackARestart) {
  spawn(process("w"));
  exit("w", 1);
  exit("w", 1);
  pause("w");
  advance(1h);
  EXPECT_EQ(status("w"), ProcessStatus::paused);
  EXPECT_FALSE(keeper.runs("w"));
  resume("w");
  advance(100ms);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ProcessVerbsTest, AResumeShowsTheReasonThatThePauseCovered) {
  auto config = process("w");
  config->ready = {ReadyOn::event, 10s};
  spawn(config);
  const std::string reason = (*this)["w"].reason;
  pause("w");
  EXPECT_EQ((*this)["w"].reason, "paused by the operator");
  resume("w");
  EXPECT_EQ((*this)["w"].reason, reason);
}

TEST_F(ProcessVerbsTest, WhatDiesWhilePausedStaysPausedUntilResumed) {
  spawn(process("w"));
  pause("w");
  kill("w");
  EXPECT_EQ(status("w"), ProcessStatus::paused);
  EXPECT_FALSE((*this)["w"].pid.has_value());
  EXPECT_TRUE(resume("w").ok());
  turn();
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ProcessVerbsTest, WhatDoesNotRunCannotBePausedOrKilled) {
  spawn(process("w"));
  stop("w");
  EXPECT_EQ(pause("w").code(), errc::wrong_state);
  EXPECT_EQ(resume("w").code(), errc::wrong_state);
  Answer killed;
  manager->kill("w", SIGHUP, killed.take());
  EXPECT_EQ(killed.code(), errc::wrong_state);
}

TEST_F(ProcessVerbsTest, AStartOfAPausedProcessSaysWhatToDo) {
  spawn(process("w"));
  pause("w");
  EXPECT_THAT(start("w").text(), HasSubstr("tenon resume"));
}

// ---- health ----

TEST_F(ProcessVerbsTest, AnUnhealthyProcessIsRestartedAndItsPolicyToldWhy) {
  auto config = process("w");
  config->health.push_back({"http"});
  config->health[0].unhealthy_after = 2;
  spawn(config);
  checks.automatic = HealthStatus{HealthState::unhealthy, "connection refused"};
  for (int i = 0; i < 15 && policies.asked.empty(); ++i) advance(1s);
  ASSERT_FALSE(policies.asked.empty());
  EXPECT_EQ(policies.asked[0].ended, EndCause::health);
  EXPECT_THAT(observer.events, testing::Contains("health w unhealthy"));
  EXPECT_THAT(observer.events, testing::Contains("exited w: unhealthy: http: connection refused"));
  EXPECT_EQ((*this)["w"].generation, 2u);
  EXPECT_EQ(checks.starts, 2);
}

TEST_F(ProcessVerbsTest, OneThatOnlyReportsIsLeftRunning) {
  auto config = process("w");
  config->health.push_back({"http"});
  config->health[0].on_unhealthy = OnUnhealthy::report;
  spawn(config);
  checks.automatic = HealthStatus{HealthState::unhealthy, "slow"};
  advance(1min);
  EXPECT_EQ((*this)["w"].generation, 1u);
  EXPECT_EQ((*this)["w"].health->state, HealthState::unhealthy);
}

TEST_F(ProcessVerbsTest, APausedProcessIsNotChecked) {
  auto config = process("w");
  config->health.push_back({"http"});
  checks.automatic = HealthStatus{};
  spawn(config);
  pause("w");
  const int asked = checks.asked["w"];
  advance(1min);
  EXPECT_EQ(checks.asked["w"], asked);
  resume("w");
  advance(1min);
  EXPECT_GT(checks.asked["w"], asked);
}

TEST_F(ProcessVerbsTest, AMissingCheckIsReportedAndTheProcessRuns) {
  auto config = process("w");
  config->health.push_back({"missing"});
  EXPECT_TRUE(spawn(config).ok());
  EXPECT_THAT(observer.misbehaved, ElementsAre("health_check/missing"));
}

// ---- labels ----

TEST_F(ProcessVerbsTest, TheLabelIsSavedBeforeTheExitIsForgotten) {
  spawn(process("w"));
  exit("w", 1);
  exit("w", 1);
  const auto label = ProcessLabel::decode(keeper.labels["w"]);
  ASSERT_TRUE(label.ok());
  EXPECT_EQ(label->phase, ProcessPhase::waiting);
  EXPECT_EQ(label->generation, 2u);
  EXPECT_EQ(label->total_restarts, 2u);
  EXPECT_EQ(label->due, loop.clock().monotonic() + 100ms);
}

TEST_F(ProcessVerbsTest, KeepsTheOpaquePartOfTheLabelWithinItsLimit) {
  spawn(process("w"));
  EXPECT_TRUE(manager->set_extra("w", "subscriptions").ok());
  EXPECT_EQ(ProcessLabel::decode(keeper.labels["w"])->extra, "subscriptions");
  EXPECT_EQ(manager->set_extra("w", std::string(ProcessLabel::kMaxExtra + 1, 'x')).error().code, errc::exhausted);
  EXPECT_EQ(manager->extra("w"), "subscriptions");
}

TEST_F(ProcessVerbsTest, TenThousandProcessesCostOneLabelAndNoTimerEach) {
  for (int i = 0; i < 10000; ++i) {
    ASSERT_TRUE(manager->add(process("w" + std::to_string(i)), "root").ok());
    manager->start("w" + std::to_string(i), {});
  }
  turn();
  EXPECT_EQ(manager->count(ProcessStatus::idle), 10000u);
  EXPECT_EQ(loop.live_timers(), 0u);
  EXPECT_EQ(keeper.labels.size(), 10000u);
}

}  // namespace
}  // namespace tenon::runtime
