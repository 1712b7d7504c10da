#include "runtime/health_monitor.hpp"

#include <gtest/gtest.h>

#include "unit/runtime/fakes.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using test::FakeChecks;

struct Listener final : HealthListener {
  void on_health_answer(HealthMonitor& monitor, bool changed) override {
    ++answers, changes += changed ? 1 : 0;
    if (stop_at_answer) monitor.stop();
  }
  int answers = 0, changes = 0;
  bool stop_at_answer = false;
};

struct HealthMonitorTest : testing::Test {
  HealthConfig config = [] {
    HealthConfig c;
    c.check = "http";
    c.interval = 5s, c.timeout = 1s;
    c.unhealthy_after = 2;
    return c;
  }();
  event::FakeLoop loop;
  FakeChecks checks;
  Listener listener;

  std::unique_ptr<HealthMonitor> monitor(std::uint64_t jitter = 0) {
    return std::make_unique<HealthMonitor>(loop, std::make_shared<HealthConfig>(config),
                                           checks.make("p", "http", "{}").value(), listener, jitter);
  }
  HealthTarget target() { return {"p", 1, 42, loop.clock().monotonic()}; }
};

TEST_F(HealthMonitorTest, SpreadsTheFirstChecksOverOneInterval) {
  checks.automatic = HealthStatus{};
  auto late = monitor(UINT64_MAX);
  ASSERT_TRUE(late->start(target(), 0s).ok());
  loop.advance(4900ms);
  EXPECT_EQ(checks.asked["p"], 0);
  loop.advance(100ms);
  EXPECT_EQ(checks.asked["p"], 1);
}

TEST_F(HealthMonitorTest, AsksAgainOneIntervalAfterTheAnswer) {
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  loop.advance(1ms);
  ASSERT_EQ(checks.asked["p"], 1);
  loop.advance(500ms);
  checks.live["p"]->answer(HealthState::healthy);
  loop.advance(4999ms);
  EXPECT_EQ(checks.asked["p"], 1);
  loop.advance(1ms);
  EXPECT_EQ(checks.asked["p"], 2);
  EXPECT_EQ(m->results().front().latency, 500ms);
}

TEST_F(HealthMonitorTest, TakesAFailureAtTheDeadlineForATimeoutInTheChecksWords) {
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  const auto fail = [&] { checks.live["p"]->answer(HealthState::unhealthy, "no connection within 1 s"); };
  const auto at_the_deadline = loop.after(1001ms, fail);  // made before the monitor's, so it comes first
  loop.advance(1001ms);
  ASSERT_EQ(m->results().size(), 1u);
  EXPECT_EQ(m->results().front().outcome, HealthOutcome::timeout);
  EXPECT_EQ(*m->results().front().reason, "no connection within 1 s");
  EXPECT_EQ(m->timeouts(), 1u);
  const auto before_the_deadline = loop.after(5s + 999ms, fail);
  loop.advance(5s + 999ms);
  ASSERT_EQ(m->results().size(), 2u);
  EXPECT_EQ(m->results().back().outcome, HealthOutcome::unhealthy);
  EXPECT_EQ(m->timeouts(), 1u);
}

TEST_F(HealthMonitorTest, TellsATimeoutFromAFailureAndDropsTheLateAnswer) {
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  loop.advance(1ms);
  const auto late = checks.live["p"]->pending;
  loop.advance(1s);
  ASSERT_EQ(m->results().size(), 1u);
  EXPECT_EQ(m->results().front().outcome, HealthOutcome::timeout);
  EXPECT_EQ(*m->results().front().reason, "no answer within 1 s");
  EXPECT_EQ(m->timeouts(), 1u);
  EXPECT_EQ(checks.cancels, 1);
  late(HealthAnswer{});
  EXPECT_EQ(m->results().size(), 1u);
  EXPECT_EQ(listener.answers, 1);
}

TEST_F(HealthMonitorTest, CountsNothingWhileTheHostHasNoThreadForTheCheck) {
  checks.automatic = HealthStatus{};
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  loop.advance(1ms);
  checks.automatic.reset();
  checks.host_is_busy = true;
  loop.advance(1h);
  EXPECT_EQ(m->results().back().outcome, HealthOutcome::not_made);
  EXPECT_NE(m->results().back().reason->find("no worker thread"), std::string::npos);
  EXPECT_EQ(*m->status(), HealthStatus{}) << "nobody looked, so nothing is known that was not before";
  EXPECT_EQ(m->timeouts(), 0u);
  EXPECT_EQ(listener.changes, 1);
}

TEST_F(HealthMonitorTest, TellsARefusalForWantOfSomethingOfTheHostsFromAFailedCheck) {
  config.unhealthy_after = 1;
  checks.refusal = Error(errc::exhausted, "256 commands run already", fault::host, true);
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  loop.advance(1ms);
  EXPECT_EQ(m->results().back().outcome, HealthOutcome::not_made);
  EXPECT_FALSE(m->status().has_value());
  checks.refusal = Error(errc::exhausted, "the server has no connection left", fault::remote, true);
  loop.advance(5s);
  EXPECT_EQ(m->results().back().outcome, HealthOutcome::error);
  EXPECT_EQ(m->status()->state, HealthState::unhealthy);
}

TEST_F(HealthMonitorTest, ACheckThatWasNotMadeDoesNotEndTheStartPeriod) {
  config.unhealthy_after = 1;
  checks.refusal = Error(errc::exhausted, "256 commands run already", fault::host, true);
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 12s).ok());
  loop.advance(1ms);
  checks.refusal.reset();
  checks.automatic = HealthStatus{HealthState::unhealthy, "refused"};
  loop.advance(6s);
  EXPECT_EQ(m->results().back().outcome, HealthOutcome::unhealthy);
  EXPECT_FALSE(m->status().has_value());
}

TEST_F(HealthMonitorTest, AnAnswerAfterDestructionHarmsNobody) {
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  loop.advance(1ms);
  const auto late = checks.live["p"]->pending;
  m.reset();
  late(HealthAnswer{});
  EXPECT_EQ(listener.answers, 0);
  EXPECT_EQ(loop.live_timers(), 0u);
}

TEST_F(HealthMonitorTest, AHungCheckDelaysNoOther) {
  auto hung = monitor();
  FakeChecks others;
  others.automatic = HealthStatus{};
  Listener other_listener;
  HealthMonitor quick(loop, std::make_shared<HealthConfig>(config), others.make("q", "tcp", "{}").value(),
                      other_listener, 0);
  ASSERT_TRUE(hung->start(target(), 0s).ok());
  ASSERT_TRUE(quick.start(target(), 0s).ok());
  loop.advance(11s);
  EXPECT_EQ(others.asked["q"], 3);
  EXPECT_EQ(hung->timeouts(), 2u);  // 1 s each, then one interval
}

TEST_F(HealthMonitorTest, FailuresWithinTheStartPeriodDoNotCount) {
  checks.automatic = HealthStatus{HealthState::unhealthy, "refused"};
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 12s).ok());
  loop.advance(11s);
  EXPECT_EQ(m->results().size(), 3u);
  EXPECT_FALSE(m->status().has_value());
  loop.advance(10s);
  ASSERT_TRUE(m->status().has_value());
  EXPECT_EQ(*m->status(), (HealthStatus{HealthState::unhealthy, "refused"}));
  EXPECT_EQ(listener.changes, 1);
}

TEST_F(HealthMonitorTest, TheReasonIsThatOfAnAnswerThatSaidTheState) {
  config.healthy_after = 2, config.degraded_after = 2;
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  const auto say = [&](HealthState state, const char* reason) {
    checks.automatic = HealthStatus{state, reason};
    loop.advance(listener.answers == 0 ? 1ms : 5s);
    return *m->status();
  };
  const HealthStatus well, slow{HealthState::degraded, "slower"};
  EXPECT_EQ(say(HealthState::healthy, ""), well);
  EXPECT_EQ(say(HealthState::degraded, "slow"), well) << "one is no row";
  EXPECT_EQ(say(HealthState::degraded, "slower"), slow);
  EXPECT_EQ(say(HealthState::healthy, ""), slow);
  EXPECT_EQ(say(HealthState::unhealthy, "refused"), slow);
  EXPECT_EQ(say(HealthState::degraded, "slow again"), (HealthStatus{HealthState::degraded, "slow again"}));
  say(HealthState::healthy, "");
  EXPECT_EQ(say(HealthState::healthy, ""), well);
  EXPECT_EQ(listener.changes, 3);
}

TEST_F(HealthMonitorTest, KeepsTheLastFiftyResultsAndSharesEqualReasons) {
  checks.automatic = HealthStatus{HealthState::unhealthy, "refused"};
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  loop.advance(400s);
  ASSERT_EQ(m->results().size(), HealthMonitor::kResults);
  EXPECT_EQ(m->results().front().reason, m->results().back().reason);
}

TEST_F(HealthMonitorTest, AsksNothingWhileSuspendedAndGoesOnAfter) {
  checks.automatic = HealthStatus{};
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  m->suspend();
  loop.advance(1h);
  EXPECT_EQ(checks.asked["p"], 0);
  m->resume();
  loop.advance(5s);
  EXPECT_EQ(checks.asked["p"], 1);
}

TEST_F(HealthMonitorTest, MayBeStoppedByTheListener) {
  checks.automatic = HealthStatus{};
  listener.stop_at_answer = true;
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  loop.advance(1h);
  EXPECT_EQ(checks.asked["p"], 1);
  EXPECT_EQ(checks.stops, 1);
}

TEST_F(HealthMonitorTest, ForgetsTheStateOfTheFormerIncarnation) {
  checks.automatic = HealthStatus{HealthState::degraded, "slow"};
  auto m = monitor();
  ASSERT_TRUE(m->start(target(), 0s).ok());
  loop.advance(1ms);
  ASSERT_TRUE(m->status().has_value());
  ASSERT_TRUE(m->start(target(), 0s).ok());
  EXPECT_FALSE(m->status().has_value());
  EXPECT_EQ(m->results().size(), 1u);
  loop.advance(1ms);
  m->stop();
  m->forget();
  EXPECT_FALSE(m->status().has_value()) << "before the next one is started, too";
}

}  // namespace
}  // namespace tenon::runtime
