// Stories of what a process says of itself: ready, reloading, stopping, in need of more time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/process_manager_fixture.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using test::process;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct ProcessNotifyTest : test::ProcessManagerFixture {
  std::shared_ptr<ProcessConfig> notifying() {
    auto config = process("w");
    config->ready = {ReadyOn::notify, 10s};
    config->stop.grace = 5s;
    return config;
  }
};

TEST_F(ProcessNotifyTest, IsReadyWhenItSaysSo) {
  const Answer started = spawn(notifying());
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_THAT((*this)["w"].reason, HasSubstr("no READY=1"));
  manager->notify_ready("w", 1);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_TRUE(started.ok());
}

TEST_F(ProcessNotifyTest, IsNotReadyByWhatAnEarlierIncarnationSaid) {
  spawn(notifying());
  exit("w", 1);
  manager->notify_ready("w", 1);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
}

TEST_F(ProcessNotifyTest, GetsMoreTimeToBecomeReady) {
  spawn(notifying());
  advance(9s);
  manager->extend_deadline("w", 1, 20s);
  advance(19s);
  EXPECT_EQ((*this)["w"].generation, 1u);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  advance(1s);
  EXPECT_EQ(observer.events.back(), "starting w");
  EXPECT_THAT(to_string(*(*this)["w"].last_exit), HasSubstr("not ready within"));
}

TEST_F(ProcessNotifyTest, NeverLosesTimeByAskingForMore) {
  spawn(notifying());
  manager->extend_deadline("w", 1, 1s);
  advance(9s);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
}

TEST_F(ProcessNotifyTest, GetsMoreTimeToEnd) {
  keeper.ignores_term.insert("w");
  spawn(process("w"));
  stop("w");
  ASSERT_EQ((*this)["w"].phase, ProcessPhase::signalled);
  manager->extend_deadline("w", 1, 60s);
  advance(59s);
  EXPECT_EQ((*this)["w"].phase, ProcessPhase::signalled);
  advance(1s);
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
}

TEST_F(ProcessNotifyTest, HasNoDeadlineToMoveWhileItRuns) {
  spawn(process("w"));
  manager->extend_deadline("w", 1, 1s);
  advance(1h);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ProcessNotifyTest, ShowsThatItReloads) {
  spawn(notifying());
  manager->notify_reloading("w", 1);
  EXPECT_THAT((*this)["w"].reason, HasSubstr("no READY=1")) << "before it is ready there is nothing to reload";
  manager->notify_ready("w", 1);
  manager->notify_reloading("w", 1);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_EQ((*this)["w"].reason, "reloading, as it says");
  manager->notify_ready("w", 1);
  EXPECT_THAT((*this)["w"].reason, IsEmpty());
}

TEST_F(ProcessNotifyTest, EndsByItselfWithoutASignal) {
  spawn(process("w"));
  manager->notify_stopping("w", 1);
  turn();
  EXPECT_EQ(status("w"), ProcessStatus::stopping);
  EXPECT_THAT(keeper.log, Not(Contains(HasSubstr("signal"))));
  exit("w", 3);
  ASSERT_FALSE(policies.asked.empty());
  EXPECT_EQ(policies.asked.back().ended, EndCause::code);
  EXPECT_EQ(policies.asked.back().value, 3);
  EXPECT_EQ((*this)["w"].generation, 2u);
}

TEST_F(ProcessNotifyTest, IsKilledIfItDoesNotEndAfterAll) {
  spawn(process("w"));
  manager->notify_stopping("w", 1);
  advance(process("w")->stop.grace);
  EXPECT_THAT(keeper.log, Contains(HasSubstr("signal")));
  EXPECT_EQ(to_string(*(*this)["w"].last_exit), "signal 9 (KILL): it said that it ends, and did not within its grace");
  EXPECT_EQ(policies.asked.back().ended, EndCause::signal);
}

TEST_F(ProcessNotifyTest, IsNotKilledWhilePaused) {
  spawn(process("w"));
  pause("w");
  manager->notify_stopping("w", 1);
  advance(1h);
  EXPECT_EQ(status("w"), ProcessStatus::paused);
}

TEST_F(ProcessNotifyTest, StaysDownWhenTheOperatorStopsItMeanwhile) {
  spawn(process("w"));
  manager->notify_stopping("w", 1);
  const Answer stopped = stop("w");
  exit("w", 0);
  EXPECT_TRUE(stopped.ok());
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
}

}  // namespace
}  // namespace tenon::runtime
