// Stories of new configurations for a tree that is at work.
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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::shared_ptr<ProcessConfig> with_digest(std::uint64_t digest, std::string id, std::vector<std::string> after = {}) {
  auto config = process(std::move(id), std::move(after));
  config->start_digest = digest;
  return config;
}

struct SupervisionReloadTest : test::SupervisionTreeFixture {
  VerbAnswer reload(SupervisorConfig root) {
    loaded_config = root;
    keeper.log.clear();
    VerbAnswer answer;
    const Status begun = tree->reload(
        root, [this](const ProcessId& id) { removed.push_back(id); }, answer.take());
    EXPECT_TRUE(begun.ok()) << begun.error().message;
    turn();
    return answer;
  }
  std::vector<std::string> removed;
};

TEST_F(SupervisionReloadTest, WhatDidNotChangeIsNotTouched) {
  start(root_of({with_digest(1, "a"), with_digest(1, "b")}));
  const pid_t a = *(*this)["a"].pid;
  EXPECT_TRUE(reload(root_of({with_digest(1, "b"), with_digest(1, "a")})).all_ok());
  EXPECT_THAT(keeper.log, IsEmpty());
  EXPECT_EQ((*this)["a"].pid, a);
  EXPECT_EQ((*this)["a"].generation, 1u);
}

TEST_F(SupervisionReloadTest, OnlyWhatChangedIsRestarted) {
  start(root_of({with_digest(1, "a"), with_digest(1, "b"), with_digest(1, "c")}));
  EXPECT_TRUE(reload(root_of({with_digest(1, "a"), with_digest(2, "b"), with_digest(1, "c")})).all_ok());
  EXPECT_THAT(keeper.log, ElementsAre("signal b TERM", "spawn b"));
  EXPECT_EQ((*this)["b"].total_restarts, 0u) << "the operator's doing, nobody's failure";
  keeper.log.clear();
  kill("b");
  EXPECT_THAT(spawned(), ElementsAre("b"));
}

TEST_F(SupervisionReloadTest, WhatIsGoneGoesFirstAndIsForgottenAndWhatIsNewFollowsInOrder) {
  start(root_of({process("old_db"), process("old_web", {"old_db"}), process("stays")}));
  keeper.ignores_term = {"old_db"};
  const auto answer = reload(root_of({process("web", {"db"}), on_event("db"), process("stays")}));
  EXPECT_THAT(keeper.log, ElementsAre("signal old_web TERM", "signal old_db TERM"));
  EXPECT_EQ(status("web"), ProcessStatus::initializing);
  EXPECT_THAT((*this)["web"].reason, HasSubstr("waiting for what was removed"));
  EXPECT_THAT(removed, ElementsAre("old_web"));
  EXPECT_FALSE(answer.answered());
  advance(5s);
  EXPECT_THAT(removed, ElementsAre("old_web", "old_db"));
  EXPECT_EQ(manager->find("old_db"), nullptr);
  EXPECT_FALSE(keeper.labels.contains("old_db"));
  EXPECT_THAT(spawned(), ElementsAre("db"));
  manager->notify_ready("db", 1);
  turn();
  EXPECT_THAT(spawned(), ElementsAre("db", "web"));
  EXPECT_TRUE(answer.all_ok());
  EXPECT_EQ((**answer.outcomes).size(), 4u);
}

TEST_F(SupervisionReloadTest, WhatTheOperatorStoppedOrPausedStaysSo) {
  start(root_of({with_digest(1, "stopped"), with_digest(1, "paused")}));
  apply(Verb::stop, "stopped");
  apply(Verb::pause, "paused");
  EXPECT_TRUE(reload(root_of({with_digest(2, "stopped"), with_digest(2, "paused")})).all_ok());
  EXPECT_THAT(keeper.log, IsEmpty());
  EXPECT_EQ(status("stopped"), ProcessStatus::terminated);
  EXPECT_EQ(status("paused"), ProcessStatus::paused);
  EXPECT_TRUE(manager->outdated("paused"));
  EXPECT_TRUE(apply(Verb::restart, "paused").all_ok());
  EXPECT_FALSE(manager->outdated("paused"));
}

TEST_F(SupervisionReloadTest, WhatWasPassedOverGoesOnAsItWasThroughDeathsOfTheEngine) {
  start(root_of({with_digest(1, "before"), with_digest(1, "after")}));
  apply(Verb::pause, "before");
  apply(Verb::pause, "after");
  EXPECT_TRUE(reload(root_of({with_digest(2, "before"), with_digest(2, "after")})).all_ok());
  apply(Verb::resume, "before");
  crash();
  apply(Verb::resume, "after");
  crash();
  EXPECT_THAT(keeper.log, IsEmpty());
  EXPECT_TRUE(manager->outdated("before") && manager->outdated("after"));
  EXPECT_TRUE(reload(loaded_config).all_ok()) << "the next one brings it";
  EXPECT_FALSE(manager->outdated("before") || manager->outdated("after"));
}

TEST_F(SupervisionReloadTest, ASuccessorBringsWhatTheEngineThatAcceptedItCouldNotBring) {
  start(root_of({with_digest(1, "paused"), with_digest(1, "up")}));
  apply(Verb::pause, "paused");
  loaded_config = root_of({with_digest(2, "paused"), with_digest(2, "up")});
  crash();  // before the former engine had told the tree
  EXPECT_THAT(spawned(), ElementsAre("up"));
  apply(Verb::resume, "paused");
  crash();
  EXPECT_THAT(spawned(), IsEmpty());
}

TEST_F(SupervisionReloadTest, WhatWasInErrorBeginsAnewOnceItsConfigurationIsMended) {
  auto broken = with_digest(1, "p");
  broken->restart.policy = "never";
  start(root_of({broken, process("q")}));
  exit("p", 1);
  ASSERT_EQ(status("p"), ProcessStatus::error);
  auto same = with_digest(1, "p");
  same->restart.policy = "never";
  EXPECT_TRUE(reload(root_of({same, process("q"), process("r")})).all_ok());
  EXPECT_EQ(status("p"), ProcessStatus::error) << "nothing of it was mended";
  EXPECT_TRUE(reload(root_of({with_digest(1, "p"), process("q")})).all_ok());
  EXPECT_EQ(status("p"), ProcessStatus::idle) << "its policy was";
}

TEST_F(SupervisionReloadTest, ASupervisorsCountOfRestartsGoesOn) {
  auto root = [] { return root_of({nested("s", {process("p")})}); };
  start(root());
  crash_loop("p", 6);
  const std::uint32_t restarts = tree->supervisor("s")->restarts;
  ASSERT_GE(restarts, 1u);
  (void)reload(root());
  EXPECT_EQ(tree->supervisor("s")->restarts, restarts);
}

TEST_F(SupervisionReloadTest, PolicyChecksAndStopHoldAtOnce) {
  auto before = process("p");
  before->health.push_back({"http"});
  checks.automatic = HealthStatus{};
  start(root_of({before}));
  advance(10s);
  ASSERT_TRUE((*this)["p"].health);
  auto after = process("p");
  after->restart.policy = "never";
  after->stop.grace = 1s;
  EXPECT_TRUE(reload(root_of({after})).all_ok());
  EXPECT_FALSE((*this)["p"].health) << "it has no check any more";
  EXPECT_THAT(checks.live, IsEmpty());
  keeper.ignores_term = {"p"};
  const auto stop = apply(Verb::stop, "p");
  advance(1s);
  EXPECT_TRUE(stop.answered()) << "the new grace";
  apply(Verb::start, "p");
  exit("p", 3);
  EXPECT_EQ(status("p"), ProcessStatus::error) << "the new policy";
}

TEST_F(SupervisionReloadTest, ACheckThatStaysKeepsRunning) {
  auto config = [] {
    auto made = process("p");
    made->health.push_back({"http"});
    return made;
  };
  checks.automatic = HealthStatus{};
  start(root_of({config()}));
  advance(10s);
  const int starts = checks.starts;
  EXPECT_TRUE(reload(root_of({config()})).all_ok());
  checks.automatic = HealthStatus{HealthState::unhealthy, "down"};
  advance(60s);
  EXPECT_GT((*this)["p"].generation, 1u) << "the check still decides";
  EXPECT_GT(checks.starts, starts);
}

TEST_F(SupervisionReloadTest, WindowsAndDelaysGoOn) {
  auto root = [](std::string extra) {
    auto made = root_of({process("p"), process(std::move(extra))});
    made.intensity = {2, 100s};
    return made;
  };
  start(root("x"));
  exit("p", 1);
  exit("p", 1);  // the second restart waits 100 ms
  ASSERT_EQ((*this)["p"].pid, std::nullopt);
  (void)reload(root("y"));
  EXPECT_FALSE((*this)["p"].pid) << "a reload is no reason to hurry";
  advance(100ms);
  EXPECT_TRUE((*this)["p"].pid);
  exit("p", 1);
  EXPECT_EQ(status("p"), ProcessStatus::error) << "the third within the window";
}

TEST_F(SupervisionReloadTest, AGroupRestartUnderWayIsFinished) {
  auto root = [](std::string extra) {
    return root_of({nested("group", {process("a"), process("b")}, Strategy::one_for_all), process(std::move(extra))});
  };
  start(root("x"));
  keeper.ignores_term = {"b"};
  exit("a", 1);
  ASSERT_EQ(status("b"), ProcessStatus::stopping);
  (void)reload(root("y"));
  EXPECT_FALSE((*this)["a"].pid);
  advance(10s);
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ(status("b"), ProcessStatus::idle);
  EXPECT_EQ((*this)["a"].generation, 2u);
}

TEST_F(SupervisionReloadTest, ADependentGoesOnWaitingForWhatItWaitedFor) {
  start(root_of({on_event("db"), process("web", {"db"})}));
  (void)reload(root_of({process("new"), process("web", {"db"}), on_event("db")}));
  EXPECT_FALSE((*this)["web"].pid);
  EXPECT_THAT((*this)["web"].reason, HasSubstr("waiting for db"));
  manager->notify_ready("db", 1);
  turn();
  EXPECT_TRUE((*this)["web"].pid);
}

TEST_F(SupervisionReloadTest, AProcessMayMoveToAnotherSupervisor) {
  start(root_of({process("a"), nested("group", {process("b"), process("c")}, Strategy::one_for_all)}));
  const pid_t b = *(*this)["b"].pid;
  const auto other = nested("other", {process("c")}, Strategy::one_for_all);
  EXPECT_TRUE(reload(root_of({process("a"), process("b"), other})).all_ok());
  EXPECT_EQ((*this)["b"].pid, b);
  EXPECT_EQ((*this)["b"].supervisor, "root");
  EXPECT_EQ(tree->supervisor("group"), nullptr);
  kill("b");
  EXPECT_THAT(spawned(), ElementsAre("b"));
}

TEST_F(SupervisionReloadTest, AStopOfSeveralThatIsUnderWayGoesOn) {
  start(root_of({process("db"), process("web", {"db"})}));
  keeper.ignores_term = {"web"};
  const auto stopped = apply(Verb::stop, "*");
  (void)reload(root_of({process("db"), process("web", {"db"}), process("new")}));
  EXPECT_EQ(status("web"), ProcessStatus::stopping);
  EXPECT_TRUE((*this)["db"].pid) << "its turn has not come";
  advance(5s);
  EXPECT_TRUE(stopped.all_ok());
  EXPECT_EQ(status("db"), ProcessStatus::terminated);
  EXPECT_EQ(status("new"), ProcessStatus::idle);
}

TEST_F(SupervisionReloadTest, ARestartOfSeveralForgetsWhatWasRemovedBeforeItsTurn) {
  start(root_of({process("a"), process("b", {"a"}), process("c", {"b"})}));
  keeper.ignores_term = {"c"};
  const auto restarted = apply(Verb::restart, "*");
  (void)reload(root_of({process("a"), process("c")}));
  advance(20s);
  EXPECT_TRUE(restarted.answered());
  EXPECT_EQ(status("a"), ProcessStatus::idle);
  EXPECT_EQ(status("c"), ProcessStatus::idle);
  EXPECT_EQ(manager->find("b"), nullptr);
}

TEST_F(SupervisionReloadTest, NoneOverWhatStillEndsButAnythingElse) {
  start(root_of({process("a"), process("b")}));
  keeper.immortal = {"b"};
  const auto first = reload(root_of({process("a"), process("c")}));
  EXPECT_THAT(tree->reload(root_of({process("a"), process("b")}), {}, {}).error().message, HasSubstr("b was removed"));
  EXPECT_EQ(tree->resolve("b").value(), std::vector<ProcessId>{"b"}) << "it can be looked at and killed";
  const auto stopped = apply(Verb::stop, "b");
  EXPECT_THAT((**stopped.outcomes)[0].status.error().message, HasSubstr("`tenon kill` it"));
  const auto second = reload(root_of({process("a"), process("d")}));
  EXPECT_TRUE(second.all_ok()) << "c never ran, and d waits for nothing of its own reload";
  EXPECT_EQ(status("d"), ProcessStatus::idle);
  advance(60s);  // SIGKILL had no effect: it is told, and what waited for it goes on
  ASSERT_TRUE(first.answered());
  EXPECT_FALSE(first.all_ok());
  EXPECT_EQ(manager->find("c"), nullptr);
  keeper.exit("b", {0, SIGKILL});
  turn();
  turn();
  EXPECT_EQ(manager->find("b"), nullptr);
  EXPECT_THAT(removed, testing::UnorderedElementsAre("c", "b"));
}

TEST_F(SupervisionReloadTest, ACommandThatNeverStartsHoldsUpNoLaterReload) {
  start(root_of({process("a")}));
  keeper.spawn_errors["n"] = EIO;
  auto broken = with_digest(1, "n");
  broken->restart.policy = "forever";
  const auto first = reload(root_of({process("a"), broken}));
  EXPECT_FALSE(first.answered());
  keeper.spawn_errors.clear();
  EXPECT_TRUE(reload(root_of({process("a"), with_digest(2, "n")})).all_ok()) << "mended: no back-off is sat out";
  EXPECT_EQ(status("n"), ProcessStatus::idle);
}

TEST_F(SupervisionReloadTest, WhatAGroupRestartHeldIsStartedThoughTheGroupIsAnother) {
  const auto a = [] { return process("a"); };
  const auto b = [] { return process("b"); };
  const std::vector<SupervisorConfig> others = {
      root_of({nested("group", {a(), b()}, Strategy::one_for_one)}),          // another strategy
      root_of({a(), b()}),                                                    // moved away
      root_of({nested("group", {a()}, Strategy::one_for_all), b()}),          // one of them moved away
  };
  for (const SupervisorConfig& other : others) {
    start(root_of({nested("group", {a(), b()}, Strategy::one_for_all)}));
    keeper.ignores_term = {"b"};
    exit("a", 1);
    ASSERT_EQ(status("b"), ProcessStatus::stopping);
    (void)reload(other);
    advance(20s);
    EXPECT_EQ(status("a"), ProcessStatus::idle);
    EXPECT_EQ(status("b"), ProcessStatus::idle) << (*this)["b"].reason;
    end(), keeper.children.clear(), keeper.labels.clear(), boot();
  }
}

TEST_F(SupervisionReloadTest, WhatIsPausedWhileItWaitsKeepsItsPlace) {
  start(root_of({on_event("db"), process("web", {"db"})}));
  apply(Verb::pause, "web");
  (void)reload(root_of({on_event("db"), process("web", {"db"})}));
  manager->notify_ready("db", 1);
  turn();
  EXPECT_EQ(status("web"), ProcessStatus::paused);
  EXPECT_TRUE(apply(Verb::resume, "web").all_ok());
  EXPECT_EQ(status("web"), ProcessStatus::idle);
}

TEST_F(SupervisionReloadTest, WhatEndsBeforeItsTurnToBeRemovedIsNoFailure) {
  start(root_of({process("x"), process("y", {"x"}), process("stays")}));
  keeper.ignores_term = {"y"};
  const auto answer = reload(root_of({process("stays")}));
  exit("x", 0);
  advance(5s);
  EXPECT_TRUE(answer.all_ok());
}

TEST_F(SupervisionReloadTest, WhatWasRestartedByItselfMeanwhileIsNotRestartedAgain) {
  start(root_of({with_digest(1, "z"), process("slow")}));
  keeper.ignores_term = {"slow"};
  const auto answer = reload(root_of({with_digest(2, "z")}));
  kill("z");
  ASSERT_EQ((*this)["z"].generation, 2u);
  advance(5s);
  EXPECT_TRUE(answer.all_ok());
  EXPECT_EQ((*this)["z"].generation, 2u);
}

TEST_F(SupervisionReloadTest, AnEngineOfAnotherReleaseTouchesNothingBecauseItDigestsOtherwise) {
  constexpr std::uint64_t kOneRelease = 1ull << 56, kAnother = 2ull << 56;
  start(root_of({with_digest(kOneRelease | 5, "a")}));
  loaded_config = root_of({with_digest(kAnother | 9, "a")});
  crash();
  EXPECT_FALSE(manager->outdated("a"));
  EXPECT_TRUE(reload(root_of({with_digest(kAnother | 9, "a")})).all_ok());
  EXPECT_THAT(keeper.log, IsEmpty());
  EXPECT_TRUE(reload(root_of({with_digest(kAnother | 10, "a")})).all_ok());
  EXPECT_THAT(keeper.log, ElementsAre("signal a TERM", "spawn a")) << "from here on it can tell";
}

TEST_F(SupervisionReloadTest, ABadTreeChangesNothing) {
  start(root_of({process("a"), process("b")}));
  const Status refused = tree->reload(root_of({process("a", {"nobody"})}), {}, {});
  EXPECT_EQ(refused.error().code, errc::not_found);
  turn();
  EXPECT_EQ(status("b"), ProcessStatus::idle);
  EXPECT_TRUE(tree->resolve("b").ok());
}

TEST_F(SupervisionReloadTest, AnEngineThatDiesInBetweenIsFollowedByOneThatFinishes) {
  start(root_of({with_digest(1, "a"), with_digest(1, "b"), process("gone")}));
  keeper.ignores_term = {"gone"};
  (void)reload(root_of({with_digest(2, "a"), with_digest(1, "b"), process("new")}));
  ASSERT_EQ((*this)["a"].generation, 1u) << "the one to be removed still ends";
  EXPECT_THAT(crash(), ElementsAre("gone"));
  EXPECT_EQ((*this)["a"].generation, 2u);
  EXPECT_EQ((*this)["b"].generation, 1u);
  EXPECT_EQ(status("new"), ProcessStatus::idle);
}

}  // namespace
}  // namespace tenon::runtime
