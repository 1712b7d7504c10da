// Stories of readiness and startup checks: who is in service, who begins when, and what nobody restarts.
#include "unit/runtime/process_manager_fixture.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using test::process;
using testing::Contains;
using testing::ElementsAre;

constexpr Duration kRound = 6s;  // every check is asked at least once: the interval and a little

HealthConfig check(std::string name, HealthRole role) { return {.check = std::move(name), .role = role}; }

struct HealthRoles : test::ProcessManagerFixture {
  void say(const std::string& name, HealthState state, std::string reason = "") {
    checks.by_name[name] = HealthStatus{state, std::move(reason)};
  }
  const std::string& not_ready(const std::string& id = "w") { return (*this)[id].not_ready; }
  static std::shared_ptr<ProcessConfig> with_checks(std::vector<HealthConfig> health) {
    auto config = process("w");
    config->health = std::move(health);
    return config;
  }
};

struct ReadinessTest : HealthRoles {
  static std::shared_ptr<ProcessConfig> served() { return with_checks({check("http", HealthRole::readiness)}); }
};

TEST_F(ReadinessTest, AProcessIsOutOfServiceUntilTheFirstSuccess) {
  EXPECT_TRUE(spawn(served()).ok()) << "started it is, and whoever depends on it may start";
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_EQ(not_ready(), "not ready: http: no answer yet");
  EXPECT_FALSE((*this)["w"].is_ready());
  say("http", HealthState::healthy);
  advance(kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_THAT(observer.health_ready, ElementsAre(true));
}

TEST_F(ReadinessTest, FailingTakesItOutOfServiceAndNeverRestartsIt) {
  say("http", HealthState::healthy);
  spawn(served());
  advance(kRound);
  const auto pid = (*this)["w"].pid;
  say("http", HealthState::unhealthy, "status 503");
  advance(10s);
  EXPECT_EQ(status("w"), ProcessStatus::idle) << "two failures are no row of three";
  advance(kRound);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_EQ(not_ready(), "not ready: http: status 503");
  EXPECT_EQ((*this)["w"].phase, ProcessPhase::running);
  advance(1h);
  EXPECT_EQ((*this)["w"].pid, pid);
  EXPECT_THAT(observer.health_ready, ElementsAre(true, false));
  manager->set_in_flight("w", 2);
  EXPECT_EQ(status("w"), ProcessStatus::initializing) << "what it has in its hands makes it no busier";
  say("http", HealthState::degraded, "slow");
  advance(kRound);
  EXPECT_EQ(status("w"), ProcessStatus::busy) << "degraded is well enough";
  EXPECT_THAT(observer.health_ready, ElementsAre(true, false, true));
  EXPECT_EQ((*this)["w"].pid, pid);
}

TEST_F(ReadinessTest, HealthyAfterCountsFromTheStartToo) {
  auto config = served();
  config->health[0].healthy_after = 3;
  say("http", HealthState::healthy);
  spawn(config);
  advance(kRound);
  EXPECT_EQ(not_ready(), "not ready: http: no 3 successes in a row yet");
  advance(2 * kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ReadinessTest, SaysWhatTheLatestAnswerWas) {
  say("http", HealthState::unhealthy, "connection refused");
  spawn(served());
  advance(kRound);
  EXPECT_EQ(not_ready(), "not ready: http: connection refused") << "of an answer that alone decides nothing";
  say("http", HealthState::unhealthy, "status 503");
  advance(1min);
  EXPECT_EQ(not_ready(), "not ready: http: status 503");
}

TEST_F(ReadinessTest, AllChecksMustBeWell) {
  say("http", HealthState::healthy);
  spawn(with_checks({check("http", HealthRole::readiness), check("tcp", HealthRole::readiness)}));
  advance(kRound);
  EXPECT_THAT(not_ready(), testing::StartsWith("not ready: tcp: no answer "));
  say("tcp", HealthState::healthy);
  advance(kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  say("tcp", HealthState::unhealthy, "refused");
  advance(1min);
  EXPECT_EQ(not_ready(), "not ready: tcp: refused");
}

TEST_F(ReadinessTest, ALivenessCheckBesideItStillRestarts) {
  say("http", HealthState::healthy), say("process", HealthState::unhealthy, "gone");
  spawn(with_checks({check("http", HealthRole::readiness), check("process", HealthRole::liveness)}));
  advance(30s);
  EXPECT_GT((*this)["w"].generation, 1u);
  EXPECT_THAT(observer.events, Contains("exited w: unhealthy: process: gone"));
}

TEST_F(ReadinessTest, EveryIncarnationBeginsOutOfService) {
  say("http", HealthState::healthy);
  spawn(served());
  advance(kRound);
  checks.by_name.clear();
  exit("w", 1);
  EXPECT_EQ((*this)["w"].generation, 2u);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_EQ(not_ready(), "not ready: http: no answer yet");
  stop("w");
  EXPECT_EQ(not_ready(), "");
}

TEST_F(ReadinessTest, ACheckThatCannotBeMadeKeepsItOutAndSaysSo) {
  spawn(with_checks({check("missing", HealthRole::readiness), check("http", HealthRole::readiness)}));
  say("http", HealthState::healthy);
  advance(kRound);
  EXPECT_EQ(not_ready(), "not ready: missing: cannot be made: no plugin offers health_check/missing");
}

TEST_F(ReadinessTest, APausedProcessIsPausedAndComesBackAsItWas) {
  spawn(served());
  EXPECT_TRUE(pause("w").ok());
  EXPECT_EQ(status("w"), ProcessStatus::paused);
  say("http", HealthState::healthy);
  advance(1min);
  resume("w");
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  advance(kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(ReadinessTest, OneOutOfServiceIsDrainedAndStoppedAsAnyOther) {
  say("http", HealthState::healthy);
  spawn(served());
  advance(kRound);
  say("http", HealthState::unhealthy, "status 503");
  advance(1min);
  hooks.drains_at_once = false;
  const Answer stopping = stop("w");
  EXPECT_EQ(status("w"), ProcessStatus::stopping);
  say("http", HealthState::healthy);
  advance(1500ms);
  EXPECT_EQ(status("w"), ProcessStatus::stopping) << "no answer brings it back into service";
  advance(1s);
  EXPECT_TRUE(stopping.ok());
  EXPECT_EQ(status("w"), ProcessStatus::terminated);
}

TEST_F(ReadinessTest, OneReadyOnHealthIsInServiceWhenItIsReady) {
  auto config = with_checks({check("http", HealthRole::readiness), check("process", HealthRole::liveness)});
  config->ready = {ReadyOn::health, 30s};
  const Answer answer = spawn(config);
  say("http", HealthState::healthy);
  advance(kRound);
  EXPECT_FALSE(answer.answered());
  say("process", HealthState::healthy);
  advance(kRound);
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

struct StartupTest : HealthRoles {};

TEST_F(StartupTest, RunsAloneUntilItHasSucceededOnceAndNeverAgain) {
  say("process", HealthState::healthy), say("http", HealthState::healthy);
  say("slow", HealthState::unhealthy, "loading");
  auto startup = check("slow", HealthRole::startup);
  startup.unhealthy_after = 100;
  spawn(with_checks({startup, check("process", HealthRole::liveness), check("http", HealthRole::readiness)}));
  advance(1min);
  EXPECT_EQ(checks.asked_by_name["process"] + checks.asked_by_name["http"], 0);
  EXPECT_EQ(not_ready(), "not ready: http: not asked before the startup check has succeeded");
  EXPECT_TRUE(manager->checks("w")[1].waits_for_startup);
  say("slow", HealthState::degraded, "warm");
  advance(kRound);
  const int asked = checks.asked_by_name["slow"];
  advance(kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_FALSE(manager->checks("w")[1].waits_for_startup);
  say("slow", HealthState::unhealthy, "not asked");
  advance(1h);
  EXPECT_EQ(checks.asked_by_name["slow"], asked);
  EXPECT_EQ((*this)["w"].generation, 1u);
  EXPECT_EQ((*this)["w"].health, HealthStatus{}) << "what the startup check found once is no news";
}

TEST_F(StartupTest, FailingTooOftenAfterItsStartPeriodRestarts) {
  auto startup = check("slow", HealthRole::startup);
  startup.start_period = 30s;
  startup.unhealthy_after = 2;
  say("slow", HealthState::unhealthy, "loading");
  spawn(with_checks({startup}));
  advance(30s);
  EXPECT_EQ((*this)["w"].generation, 1u);
  advance(2 * kRound);
  EXPECT_EQ((*this)["w"].generation, 2u);
  EXPECT_THAT(observer.events, Contains("exited w: unhealthy: slow: loading"));
}

TEST_F(StartupTest, OneThatOnlyReportsKeepsTheOthersWaiting) {
  auto startup = check("slow", HealthRole::startup);
  startup.on_unhealthy = OnUnhealthy::report;
  say("slow", HealthState::unhealthy, "loading");
  spawn(with_checks({startup, check("process", HealthRole::liveness)}));
  advance(1h);
  EXPECT_EQ((*this)["w"].generation, 1u);
  EXPECT_EQ((*this)["w"].health->reason, "loading");
  EXPECT_EQ(checks.asked_by_name["process"], 0);
}

TEST_F(StartupTest, AllStartupChecksMustHaveSucceeded) {
  say("a", HealthState::healthy), say("http", HealthState::healthy);
  auto late = check("b", HealthRole::startup);
  late.unhealthy_after = 100;
  spawn(with_checks({check("a", HealthRole::startup), late, check("http", HealthRole::readiness)}));
  advance(kRound);
  const int asked = checks.asked_by_name["a"];
  EXPECT_EQ(asked, 1) << "it has succeeded";
  advance(1min);
  EXPECT_EQ(checks.asked_by_name["a"], 1);
  EXPECT_EQ(checks.asked_by_name["http"], 0);
  say("b", HealthState::healthy);
  advance(2 * kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(StartupTest, TheNextIncarnationIsAskedAgainAndWhatItsFormerSaidIsForgotten) {
  say("slow", HealthState::healthy), say("http", HealthState::healthy);
  spawn(with_checks({check("slow", HealthRole::startup), check("http", HealthRole::readiness)}));
  advance(2 * kRound);
  ASSERT_EQ(status("w"), ProcessStatus::idle);
  const int asked = checks.asked_by_name["slow"];
  say("slow", HealthState::unhealthy, "loading");
  exit("w", 1);
  advance(kRound);
  EXPECT_GT(checks.asked_by_name["slow"], asked);
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_EQ(not_ready(), "not ready: http: not asked before the startup check has succeeded");
  EXPECT_EQ((*this)["w"].health, std::nullopt);
}

TEST_F(StartupTest, OneReadyOnHealthIsReadyWhenStartupAndTheOthersSucceeded) {
  say("slow", HealthState::healthy);
  auto config = with_checks({check("slow", HealthRole::startup), check("process", HealthRole::liveness)});
  config->ready = {ReadyOn::health, 1min};
  const Answer answer = spawn(config);
  advance(kRound);
  EXPECT_FALSE(answer.answered());
  say("process", HealthState::healthy);
  advance(kRound);
  EXPECT_TRUE(answer.ok());
}

// Other configs for a process that runs.
struct RolesReloadTest : HealthRoles {
  void configure(std::vector<HealthConfig> health) {
    EXPECT_FALSE(manager->configure(with_checks(std::move(health)), "root", 0)) << "nothing that needs a restart";
  }
};

TEST_F(RolesReloadTest, InServiceIsWhoWasUntilANewCheckSaysOtherwise) {
  spawn(process("w"));
  configure({check("http", HealthRole::readiness)});
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  say("http", HealthState::unhealthy, "status 503");
  advance(1min);
  EXPECT_EQ(not_ready(), "not ready: http: status 503");
  configure({check("http", HealthRole::readiness), check("tcp", HealthRole::readiness)});
  EXPECT_EQ(not_ready(), "not ready: http: status 503") << "nor does it come back before one says so";
  configure({check("http", HealthRole::liveness)});
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_EQ((*this)["w"].generation, 1u);
  advance(1min);
  EXPECT_GT((*this)["w"].generation, 1u) << "unhealthy it is, and that restarts now";
}

TEST_F(RolesReloadTest, AStartupCheckThatComesLaterIsForTheNextStart) {
  say("slow", HealthState::healthy), say("process", HealthState::healthy);
  spawn(with_checks({check("process", HealthRole::liveness)}));
  configure({check("slow", HealthRole::startup), check("process", HealthRole::liveness)});
  advance(1min);
  EXPECT_EQ(checks.asked_by_name["slow"], 0);
  EXPECT_GT(checks.asked_by_name["process"], 0);
  exit("w", 1);
  advance(kRound);
  EXPECT_EQ(checks.asked_by_name["slow"], 1);
}

TEST_F(RolesReloadTest, WithoutItsStartupCheckTheOthersBeginAtOnce) {
  say("slow", HealthState::unhealthy, "loading"), say("http", HealthState::healthy);
  auto startup = check("slow", HealthRole::startup);
  startup.unhealthy_after = 100;
  spawn(with_checks({startup, check("http", HealthRole::readiness)}));
  advance(kRound);
  configure({check("http", HealthRole::readiness)});
  advance(kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(RolesReloadTest, OneReadyOnHealthIsReadyWhenNothingIsLeftToAsk) {
  auto config = with_checks({check("process", HealthRole::liveness)});
  config->ready = {ReadyOn::health, 0s};
  const Answer answer = spawn(config);
  auto fresh = with_checks({check("slow", HealthRole::startup)});
  fresh->ready = config->ready;
  manager->configure(fresh, "root", 0);
  turn();
  EXPECT_TRUE(answer.ok());
}

// ---- the engine's death ----

struct RolesAdoptionTest : testing::Test, test::World {
  static std::shared_ptr<ProcessConfig> served() {
    auto config = process("w");
    config->health = {check("slow", HealthRole::startup), check("http", HealthRole::readiness)};
    return config;
  }
  void begin() {
    checks.by_name["slow"] = checks.by_name["http"] = HealthStatus{};
    start(test::root_of({served()}));
    advance(2 * kRound);
    ASSERT_EQ(status("w"), ProcessStatus::idle);
  }
};

TEST_F(RolesAdoptionTest, WhoIsInServiceStaysThere) {
  begin();
  const int asked = checks.asked_by_name["slow"];
  checks.by_name.clear();
  crash();
  EXPECT_EQ(status("w"), ProcessStatus::idle) << "nobody has said otherwise";
  advance(kRound);
  EXPECT_EQ(checks.asked_by_name["slow"], asked) << "it has started up before";
  EXPECT_GT(checks.asked_by_name["http"], 0);
}

TEST_F(RolesAdoptionTest, WhoIsOutOfServiceStaysOutUntilACheckSaysHealthy) {
  begin();
  checks.by_name["http"] = HealthStatus{HealthState::unhealthy, "status 503"};
  advance(1min);
  ASSERT_EQ(status("w"), ProcessStatus::initializing);
  checks.by_name.clear();
  crash();
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_EQ((*this)["w"].not_ready, "not ready: http: status 503");
  EXPECT_EQ((*this)["w"].phase, ProcessPhase::running);
  checks.by_name["http"] = HealthStatus{};
  advance(2 * kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
  EXPECT_EQ((*this)["w"].generation, 1u);
}

TEST_F(RolesAdoptionTest, AStartThatHasNotSucceededGoesOnBeingAsked) {
  checks.by_name["http"] = HealthStatus{};
  start(test::root_of({served()}));
  advance(kRound);
  crash();
  EXPECT_EQ((*this)["w"].not_ready, "not ready: http: no answer yet");
  advance(kRound);
  EXPECT_EQ(checks.asked_by_name["http"], 0);
  checks.by_name["slow"] = HealthStatus{};
  advance(3 * kRound);
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(RolesAdoptionTest, WithoutTheCheckInItsConfigNothingKeepsItOut) {
  begin();
  checks.by_name["http"] = HealthStatus{HealthState::unhealthy, "status 503"};
  advance(1min);
  loaded_config = test::root_of({process("w")});  // a reload that the engine did not live to apply
  crash();
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(RolesAdoptionTest, AnUnlabelledProcessIsLeftAtItsWork) {
  begin();
  keeper.labels.clear();
  checks.by_name.clear();
  crash();
  EXPECT_EQ(status("w"), ProcessStatus::idle);
}

TEST_F(RolesAdoptionTest, OneOutOfServiceIsUpForWhoeverWaitsUntilAllIsIdle) {
  start(test::root_of({served()}));
  EXPECT_EQ(status("w"), ProcessStatus::initializing);
  EXPECT_TRUE(tree->idle([](const ProcessHandle&) { return false; }));
  EXPECT_FALSE(tree->idle([](const ProcessHandle&) { return true; })) << "it runs, and is to end by itself";
}

}  // namespace
}  // namespace tenon::runtime
