#include "runtime/strategy.hpp"

#include <gtest/gtest.h>

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using Action = SupervisionPlan::Action;
using Indices = std::vector<std::uint32_t>;

constexpr MonotonicTime kNow{1h};

SupervisionPlan plan(Strategy strategy, std::uint32_t failed, std::vector<ChildState> children) {
  RestartWindow window;
  return plan_exit({strategy, {5, 10s}, OnLimit::escalate}, window, children, {failed, RestartAction::restart, 1s},
                   kNow);
}

const std::vector<ChildState> kFourRunning(4, ChildState{true, false});

TEST(Strategy, OneForOneRestartsTheFailedChildAlone) {
  const SupervisionPlan one = plan(Strategy::one_for_one, 2, {});
  EXPECT_EQ(one.action, Action::restart);
  EXPECT_EQ(one.stop, Indices{});
  EXPECT_EQ(one.start, Indices{2});
  EXPECT_EQ(one.delay, 1s);
  EXPECT_EQ(one.attempt, 1u);
}

TEST(Strategy, OneForAllStopsTheOthersLastFirstAndStartsAllInOrder) {
  const SupervisionPlan all = plan(Strategy::one_for_all, 1, kFourRunning);
  EXPECT_EQ(all.stop, (Indices{3, 2, 0}));
  EXPECT_EQ(all.start, (Indices{0, 1, 2, 3}));
}

TEST(Strategy, RestForOneTakesThoseBehindTheFailedChild) {
  const SupervisionPlan rest = plan(Strategy::rest_for_one, 1, kFourRunning);
  EXPECT_EQ(rest.stop, (Indices{3, 2}));
  EXPECT_EQ(rest.start, (Indices{1, 2, 3}));
  const SupervisionPlan last = plan(Strategy::rest_for_one, 3, kFourRunning);
  EXPECT_EQ(last.stop, Indices{});
  EXPECT_EQ(last.start, Indices{3});
}

TEST(Strategy, AGroupRestartLeavesOutWhatTheOperatorStoppedAndStartsWhatHadFinished) {
  const SupervisionPlan all =
      plan(Strategy::one_for_all, 3, {{false, true}, {false, false}, {true, false}, {false, false}});
  EXPECT_EQ(all.stop, Indices{2});
  EXPECT_EQ(all.start, (Indices{1, 2, 3}));
}

TEST(Strategy, FinishedAndGivenUpChildrenTouchNobodyAndCountNothing) {
  RestartWindow window;
  const SupervisorRules rules{Strategy::one_for_all, {1, 10s}, OnLimit::escalate};
  EXPECT_EQ(plan_exit(rules, window, kFourRunning, {0, RestartAction::finished}, kNow).action, Action::finish);
  EXPECT_EQ(plan_exit(rules, window, kFourRunning, {0, RestartAction::give_up}, kNow).action, Action::fail_child);
  EXPECT_EQ(plan_exit(rules, window, kFourRunning, {0, RestartAction::escalate}, kNow).action, Action::escalate);
  EXPECT_TRUE(window.times().empty());
}

TEST(Strategy, TheLimitFailsTheChildOrEscalatesAsTheRulesSay) {
  for (const OnLimit on_limit : {OnLimit::fail_child, OnLimit::escalate}) {
    RestartWindow window;
    const SupervisorRules rules{Strategy::one_for_one, {1, 10s}, on_limit};
    EXPECT_EQ(plan_exit(rules, window, {}, {0}, kNow).action, Action::restart);
    const SupervisionPlan over = plan_exit(rules, window, {}, {0}, kNow + 1s);
    EXPECT_EQ(over.action, on_limit == OnLimit::fail_child ? Action::fail_child : Action::escalate);
    EXPECT_TRUE(over.limit_reached);
    EXPECT_TRUE(over.start.empty());
  }
}

TEST(Strategy, SaysWhatDidNotHelp) {
  EXPECT_EQ(limit_reason({5, 10s}, "exit code 3"), "5 restarts in 10 s did not help: exit code 3");
  EXPECT_EQ(limit_reason({1, 1min}, "x"), "1 restart in 1m did not help: x");
  EXPECT_EQ(limit_reason({0, 10s}, "x"), "no restarts allowed: x");
}

}  // namespace
}  // namespace tenon::runtime
