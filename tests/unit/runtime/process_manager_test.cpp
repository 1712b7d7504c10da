// Stories of single processes, told to a ProcessManager without a tree above it.
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

struct ProcessManagerTest : test::ProcessManagerFixture {};

// ---- start and readiness ----

TEST_F(ProcessManagerTest, AProcessReadyOnStartIsIdleOnceSpawned) {
  const Answer answer = spawn(process("w"));
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_EQ((*this)["w"].pid, keeper.children["w"].pid);
  EXPECT_EQ((*this)["w"].generation, 1u);
  EXPECT_THAT(observer.events, ElementsAre("starting w", "ready w"));
  EXPECT_EQ(loop.live_timers(), 0u);
}

TEST_F(ProcessManagerTest, OneReadyOnEventWaitsForItsWord) {
  auto config = process("w");
  config->ready = {ReadyOn::event, 10s};
  const Answer answer = spawn(config);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  manager->notify_ready("w", 7);  // of another incarnation
  EXPECT_FALSE(answer.answered());
  manager->notify_ready("w", 1);
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  advance(1h);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ProcessManagerTest, OneNotReadyInTimeIsStoppedAndItsPolicyTold) {
  auto config = process("w");
  config->ready = {ReadyOn::event, 10s};
  config->restart.policy = "never";
  const Answer answer = spawn(config);
  advance(10s);
  EXPECT_EQ(status("w"), ProcessStatus::error);
  EXPECT_THAT((*this)["w"].reason, HasSubstr("not ready within 10 s"));
  EXPECT_THAT(answer.text(), HasSubstr("not ready within 10 s"));
  ASSERT_EQ(policies.asked.size(), 1u);
  EXPECT_EQ(policies.asked[0].ended, EndCause::startup);
  EXPECT_FALSE(policies.asked[0].was_ready);
}

TEST_F(ProcessManagerTest, ATaskIsReadyWhenItHasExitedWithZero) {
  auto config = process("task");
  config->ready = {ReadyOn::exit, 0s};
  config->restart.policy = "on_failure";
  const Answer answer = spawn(config);
  EXPECT_FALSE(answer.answered());
  exit("task", 0);
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(status("task"), ProcessStatus::terminated);
  EXPECT_THAT(observer.events, testing::Contains("ready task"));
}

TEST_F(ProcessManagerTest, OneReadyOnHealthIsReadyWhenAllItsChecksAreWell) {
  auto config = process("w");
  config->ready = {ReadyOn::health, 30s};
  config->health.push_back({"http"});
  config->health[0].timeout = 10s;
  const Answer answer = spawn(config);
  advance(5s);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  checks.live["w"]->answer(HealthState::healthy);
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ((*this)["w"].health, HealthStatus{});
}

TEST_F(ProcessManagerTest, TheStatusIsBusyWhileEventsAreInFlight) {
  spawn(process("w"));
  manager->set_in_flight("w", 2);
  EXPECT_EQ(status("w"), ProcessStatus::busy);
  manager->set_in_flight("w", 0);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_EQ(manager->count(ProcessStatus::idle), 1u);
  EXPECT_EQ(manager->count(ProcessStatus::busy), 0u);
}

TEST_F(ProcessManagerTest, ACommandThatDoesNotExistIsAnErrorAtOnce) {
  keeper.spawn_errors["w"] = ENOENT;
  const Answer answer = spawn(process("w"));
  EXPECT_EQ(status("w"), ProcessStatus::error);
  EXPECT_THAT((*this)["w"].reason, HasSubstr("could not start: exec: No such file or directory"));
  EXPECT_THAT(answer.text(), HasSubstr("No such file or directory"));
  EXPECT_TRUE(policies.asked.empty());
}

TEST_F(ProcessManagerTest, AFullProcessTableIsWaitedOutAndCountedAgainstNobody) {
  keeper.spawn_errors["w"] = EAGAIN;
  const Answer answer = spawn(process("w"));
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_THAT((*this)["w"].reason, HasSubstr("Resource temporarily unavailable"));
  advance(1min);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_EQ((*this)["w"].total_restarts, 0u);
  EXPECT_LT((*this)["w"].generation, 20u);  // it backs off
  keeper.spawn_errors.clear();
  advance(10s);
  EXPECT_TRUE(answer.ok());
}

TEST_F(ProcessManagerTest, AStopInTheCallThatSpawnsReachesTheProcessBehindItsSpawn) {
  struct Owner final : ProcessOwner {
    explicit Owner(ProcessManager& m) : manager(m) {}
    void on_exit_decided(const ProcessHandle& process, const ExitRecord&, const RestartDecision&) override {
      manager.restart_after(process.id(), 0s, {});
      manager.stop_process(process.id(), {});
    }
    bool may_restart_now(const ProcessHandle&) override { return true; }
    void on_process_ready(const ProcessHandle&) override {}
    void on_process_down(const ProcessHandle&) override {}
    ProcessManager& manager;
  } owner(*manager);
  manager->set_owner(&owner);
  for (const bool refused : {false, true}) {
    const std::string id = refused ? "refused" : "taken";
    spawn(process(id));
    keeper.log.clear();
    keeper.refuse_spawns = refused;
    exit(id, 1);
    turn();
    EXPECT_EQ(status(id), ProcessStatus::terminated) << id;
    EXPECT_EQ(keeper.log.front(), "spawn " + id);
    EXPECT_EQ(keeper.log.size(), refused ? 1u : 2u);
    EXPECT_FALSE(keeper.children.contains(id) && keeper.runs(id));
  }
  manager->set_owner(nullptr);
}

TEST_F(ProcessManagerTest, ARefusedSpawnRequestIsTriedAgain) {
  keeper.refuse_spawns = true;
  const Answer answer = spawn(process("w"));
  EXPECT_THAT((*this)["w"].reason, HasSubstr("the link is full"));
  keeper.refuse_spawns = false;
  advance(1s);
  EXPECT_TRUE(answer.ok());
}

TEST_F(ProcessManagerTest, OneReadyByACheckThatCannotBeMadeSaysSoAndIsLeftAlone) {
  auto config = process("w");
  config->ready = {ReadyOn::health, 10s};
  config->health.push_back({"missing"});
  spawn(config);
  EXPECT_EQ((*this)["w"].reason,
            "started, not ready yet: the check \"missing\" cannot be made: no plugin offers health_check/missing");
  advance(1h);
  EXPECT_EQ((*this)["w"].generation, 1u) << "a restart would not bring the check";
  EXPECT_EQ(observer.misbehaved.size(), 1u) << "told once, not with every attempt";
  const auto listed = manager->checks("w");
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].config.check, "missing");
  EXPECT_EQ(listed[0].problem, "no plugin offers health_check/missing");
}

TEST_F(ProcessManagerTest, ACheckWhosePluginComesLaterIsMadeThenAndTheDeadlineBegins) {
  auto config = process("w");
  config->ready = {ReadyOn::health, 30s};
  config->health.push_back({"missing"});
  spawn(config);
  advance(1h);
  checks.has_missing = true;
  advance(ProcessManager::kCheckRetry);
  ASSERT_TRUE(checks.live.contains("w"));
  EXPECT_EQ(manager->checks("w")[0].problem, "");
  EXPECT_EQ((*this)["w"].reason, "started, not ready yet: not all checks are healthy");
  checks.automatic = HealthStatus{};
  advance(10s);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ProcessManagerTest, ADeadlineIsExtendedWhileTheHostItselfCannotMakeTheCheck) {
  auto config = process("w");
  config->ready = {ReadyOn::health, 10s};
  config->health.push_back({"http"});
  checks.refusal = Error(errc::exhausted, "no worker thread is free", fault::host, true);
  spawn(config);
  advance(1min);
  EXPECT_EQ((*this)["w"].generation, 1u);
  checks.refusal.reset();
  checks.automatic = HealthStatus{};
  advance(10s);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

// ---- exit and restart ----

TEST_F(ProcessManagerTest, TheFirstRestartIsImmediateAndTheNextOnesWait) {
  spawn(process("w"));
  exit("w", 3);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_EQ((*this)["w"].generation, 2u);
  exit("w", 3);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_EQ((*this)["w"].reason, "restart, next in 100 ms: exit code 3");
  EXPECT_FALSE((*this)["w"].pid.has_value());
  advance(99ms);
  EXPECT_FALSE(keeper.runs("w"));
  advance(1ms);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_EQ((*this)["w"].total_restarts, 2u);
  ASSERT_EQ((*this)["w"].history->size(), 2u);
  EXPECT_EQ((*this)["w"].history->back().delay, 100ms);
}

TEST_F(ProcessManagerTest, AnExitIsForgottenOnceItWasTakenNoteOf) {
  spawn(process("w"));
  const auto before = keeper.forgotten.size();
  exit("w", 0);
  EXPECT_EQ(keeper.forgotten.size(), before + 1);
  EXPECT_EQ(keeper.log, (std::vector<std::string>{"spawn w", "spawn w"})) << "there is nothing left to signal";
}

TEST_F(ProcessManagerTest, TheHistoryIsBounded) {
  spawn(process("w"));
  for (int i = 0; i < 50; ++i) {
    exit("w", 1);
    advance(31s);
  }
  EXPECT_EQ((*this)["w"].total_restarts, 50u);
  EXPECT_EQ((*this)["w"].history->size(), ProcessHandle::kHistory);
}

TEST_F(ProcessManagerTest, ThePolicyGetsWhatItIsPromised) {
  spawn(process("w"));
  advance(5s);
  kill("w", SIGSEGV);
  exit("w", 7);
  ASSERT_EQ(policies.asked.size(), 2u);
  EXPECT_EQ(policies.asked[0].ended, EndCause::signal);
  EXPECT_EQ(policies.asked[0].value, SIGSEGV);
  EXPECT_TRUE(policies.asked[0].was_ready);
  EXPECT_EQ(policies.asked[0].run_time, 5s);
  EXPECT_EQ(policies.asked[0].consecutive, 0u);
  EXPECT_EQ(policies.asked[1].ended, EndCause::code);
  EXPECT_EQ(policies.asked[1].value, 7);
  EXPECT_EQ(policies.asked[1].consecutive, 1u);
  EXPECT_EQ(policies.asked[1].total_restarts, 1u);
  EXPECT_EQ(policies.asked[1].memory[0], 1u);  // as the policy left it
  EXPECT_EQ(policies.asked[1].memory[1], 1u);  // as on_ready left it
}

TEST_F(ProcessManagerTest, OnePolicyInstanceServesAllWithTheSameConfig) {
  for (int i = 0; i < 10; ++i) {
    spawn(process("w" + std::to_string(i)));
    exit("w" + std::to_string(i), 1);
  }
  EXPECT_EQ(policies.made, 1);
}

TEST_F(ProcessManagerTest, ABackOffStandsInForAPolicyThatFailsOrIsMissingOrTalksNonsense) {
  for (const std::string name : {"fails", "missing", "nonsense"}) {
    auto config = process(name);
    config->restart.policy = name;
    spawn(config);
    exit(name, 1);
    EXPECT_EQ(status(name), ProcessStatus::idle) << name;
    exit(name, 1);
    EXPECT_EQ(status(name), ProcessStatus::initializing) << name;
    EXPECT_THAT((*this)[name].reason, HasSubstr("stands in for the policy \"" + name + "\""));
    advance(30s);
    EXPECT_EQ(status(name), ProcessStatus::idle) << name;
    EXPECT_EQ(observer.misbehaved.back(), "restart_policy/" + name);
  }
}

TEST_F(ProcessManagerTest, AnAbsurdDelayIsCappedAtADay) {
  auto config = process("w");
  config->restart.policy = "forever";
  spawn(config);
  exit("w", 1);
  advance(24h);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ProcessManagerTest, ExitZeroUnderNeverIsTerminatedAndAnythingElseAnError) {
  for (const int code : {0, 1}) {
    auto config = process("w" + std::to_string(code));
    config->restart.policy = "never";
    spawn(config);
    exit(config->id, code);
  }
  EXPECT_EQ(status("w0"), ProcessStatus::terminated);
  EXPECT_EQ(status("w1"), ProcessStatus::error);
  EXPECT_EQ((*this)["w1"].reason, "exit code 1");
}

TEST_F(ProcessManagerTest, AnExitToldTwiceIsForgottenAgainAndChangesNothing) {
  spawn(process("w"));
  manager->on_exited("w", 9, {1, 0}, 1s, {});
  manager->on_exited("nobody", 1, {1, 0}, 1s, {});
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_THAT(keeper.forgotten, ElementsAre("w", "nobody"));
}

}  // namespace
}  // namespace tenon::runtime
