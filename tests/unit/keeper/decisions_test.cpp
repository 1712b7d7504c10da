#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keeper/engine_supervisor.hpp"
#include "keeper/shutdown_plan.hpp"

namespace tenon::keeper {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const MonotonicTime kStart{std::chrono::hours(1)};

TEST(EngineBackoff, StartsAtOnceThenDoublesUpToTenSeconds) {
  EngineBackoff backoff;
  std::vector<Duration> waits;
  for (int i = 0; i < 10; ++i) waits.push_back(backoff.on_end(kStart, kStart + seconds(1)));
  EXPECT_THAT(waits, testing::ElementsAre(milliseconds(0), milliseconds(100), milliseconds(200), milliseconds(400),
                                          milliseconds(800), milliseconds(1600), milliseconds(3200), milliseconds(6400),
                                          seconds(10), seconds(10)));
  EXPECT_EQ(backoff.restarts(), 10u);
}

TEST(EngineBackoff, StartsAtOnceAgainAfterAStableRun) {
  EngineBackoff backoff;
  for (int i = 0; i < 5; ++i) (void)backoff.on_end(kStart, kStart + seconds(1));
  EXPECT_EQ(backoff.on_end(kStart, kStart + seconds(60)), Duration::zero());
}

TEST(EngineBackoff, CountsOnlyTheEndsOfTheLastMinute) {
  EngineBackoff backoff;
  (void)backoff.on_end(kStart, kStart);
  (void)backoff.on_end(kStart, kStart + seconds(50));
  EXPECT_EQ(backoff.recent(kStart + seconds(55)), 2u);
  EXPECT_EQ(backoff.recent(kStart + seconds(70)), 1u);
}

TEST(HangJudge, LeavesAnEngineThatWaitsAlone) {
  const auto verdict = judge({}, {}, kStart, kStart + std::chrono::hours(5));
  EXPECT_FALSE(verdict.hangs());
  EXPECT_EQ(verdict.look_again, kStart + std::chrono::hours(5) + seconds(10));
}

TEST(HangJudge, LooksAgainExactlyWhenTheTurnUnderWayWouldBeTooLong) {
  EngineSigns signs;
  signs.in_turn = kStart;
  const auto verdict = judge(signs, {}, kStart, kStart + seconds(4));
  EXPECT_FALSE(verdict.hangs());
  EXPECT_EQ(verdict.look_again, kStart + seconds(10));
  EXPECT_TRUE(judge(signs, {}, kStart, kStart + seconds(10)).hangs());
}

TEST(HangJudge, CondemnsForEachSignByItself) {
  for (auto sign : {&EngineSigns::awaiting_greeting, &EngineSigns::in_turn, &EngineSigns::stopped,
                    &EngineSigns::not_reading, &EngineSigns::closed_link}) {
    EngineSigns signs;
    signs.*sign = kStart;
    EXPECT_FALSE(judge(signs, {}, kStart, kStart + milliseconds(999)).hangs());
    EXPECT_TRUE(judge(signs, {}, kStart, kStart + seconds(11)).hangs());
  }
}

TEST(HangJudge, DoesNotCountTheTimeInWhichTheKeeperWasFrozenToo) {
  EngineSigns signs;
  signs.in_turn = kStart;
  const MonotonicTime thawed = kStart + seconds(100);
  EXPECT_FALSE(judge(signs, {}, thawed, thawed).hangs());
  EXPECT_TRUE(judge(signs, {}, thawed, thawed + seconds(10)).hangs());
}

class ShutdownPlanTest : public testing::Test {
 protected:
  static ShutdownPlan::Member member(pid_t pid, std::uint32_t rank, milliseconds grace, int signal = SIGTERM) {
    return {pid, StopPlan{signal, grace, rank}};
  }
  static std::vector<std::pair<pid_t, int>> advance(ShutdownPlan& plan, MonotonicTime now) {
    std::vector<std::pair<pid_t, int>> sent;
    for (const auto& action : plan.advance(now)) sent.emplace_back(action.pid, action.signal_number);
    return sent;
  }
};

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST_F(ShutdownPlanTest, OfNobodyIsFinished) { EXPECT_TRUE(ShutdownPlan().finished()); }

TEST_F(ShutdownPlanTest, StopsTheHighestRankFirstAndEqualRanksTogether) {
  ShutdownPlan plan({member(1, 0, seconds(5)), member(2, 7, seconds(5)), member(3, 7, seconds(5), SIGINT)});
  EXPECT_THAT(advance(plan, kStart), ElementsAre(Pair(2, SIGTERM), Pair(3, SIGINT)));
  EXPECT_THAT(advance(plan, kStart), IsEmpty());
  plan.note_exit(2);
  EXPECT_THAT(advance(plan, kStart), IsEmpty()) << "the other of the wave still lives";
  plan.note_exit(3);
  EXPECT_THAT(advance(plan, kStart), ElementsAre(Pair(1, SIGTERM)));
  plan.note_exit(1);
  EXPECT_TRUE(plan.finished());
}

TEST_F(ShutdownPlanTest, KillsWhoOutlivesItsOwnGrace) {
  ShutdownPlan plan({member(1, 0, milliseconds(100)), member(2, 0, seconds(5))});
  (void)plan.advance(kStart);
  EXPECT_EQ(plan.next_deadline(), kStart + milliseconds(100));
  EXPECT_THAT(advance(plan, kStart + milliseconds(100)), ElementsAre(Pair(1, SIGKILL)));
}

TEST_F(ShutdownPlanTest, KillsAtOnceWithoutGrace) {
  ShutdownPlan plan({member(1, 0, milliseconds(0))});
  EXPECT_THAT(advance(plan, kStart), ElementsAre(Pair(1, SIGKILL)));
}

TEST_F(ShutdownPlanTest, GivesUpOnWhatSigkillDoesNotMoveAndGoesOn) {
  ShutdownPlan plan({member(1, 1, milliseconds(0)), member(2, 0, seconds(1))});
  (void)plan.advance(kStart);
  EXPECT_THAT(advance(plan, kStart + ShutdownPlan::kKillPatience), ElementsAre(Pair(2, SIGTERM)));
  EXPECT_EQ(plan.given_up(), 1u);
}

TEST_F(ShutdownPlanTest, KillsAllRanksAtOnceWhenToldTo) {
  ShutdownPlan plan({member(1, 1, seconds(5)), member(2, 0, seconds(5))});
  (void)plan.advance(kStart);
  plan.kill_all();
  EXPECT_THAT(advance(plan, kStart), ElementsAre(Pair(1, SIGKILL), Pair(2, SIGKILL)));
}

}  // namespace
}  // namespace tenon::keeper
