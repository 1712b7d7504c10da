#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;
using testing::HasSubstr;

const tenon_restart_policy& cooldown() {
  static const LoadedPlugin plugin = LoadedPlugin::open("cooldown");
  return plugin.restart_policy("cooldown");
}

// One process with what the host keeps of it between two exits.
struct Process {
  explicit Process(const std::string& config) : policy(cooldown(), config) {}

  PolicyDecision ends(std::uint32_t ended, std::int32_t value, std::chrono::nanoseconds run_time = 1s) {
    tenon_exit exit = exited(ended, value, consecutive);
    exit.run_time_ns = static_cast<std::uint64_t>(run_time.count());
    exit.random = random;
    std::copy(memory.begin(), memory.end(), exit.memory);
    PolicyDecision decision = policy.on_exit(exit);
    consecutive = decision.reset ? 1 : consecutive + 1;
    memory = decision.memory;
    return decision;
  }
  PolicyDecision fails(std::chrono::nanoseconds run_time = 1s) { return ends(TENON_ENDED_CODE, 1, run_time); }
  void fails_times(int count) {
    while (count-- > 0) fails();
  }

  RestartPolicyUnderTest policy;
  std::uint32_t consecutive = 0;
  std::uint64_t random = 0;
  std::array<std::uint64_t, 4> memory{};
};

const char kThree[] = R"({"failures":3,"cooldown":"5m","jitter":0})";

TEST(Cooldown, RestartsWithTheCurveThenCoolsDownThenTriesOnce) {
  Process process(R"({"jitter":0})");
  const std::chrono::nanoseconds expected[] = {0ms, 100ms, 200ms, 400ms, 5min, 5min, 5min};
  int run = 1;
  for (const auto delay : expected) {
    const PolicyDecision decision = process.fails();
    EXPECT_EQ(decision.action, TENON_RESTART_RESTART) << run;
    EXPECT_EQ(decision.delay, delay) << run;
    ++run;
  }
}

TEST(Cooldown, SaysWhereItStands) {
  Process process(kThree);
  EXPECT_EQ(process.fails().text, "") << "the host tells exit and delay itself";
  EXPECT_EQ(process.fails().text, "1 more failed run and it cools down");
  EXPECT_EQ(process.fails().text, "cooling down for 5 min after 3 failed runs");
  EXPECT_EQ(process.fails().text, "cooling down for 5 min after 4 failed runs, the last a trial");
  EXPECT_EQ(process.fails(60s).text, "the trial run was stable");
  EXPECT_EQ(Process(R"({"failures":1})").fails().text, "cooling down for 5 min after 1 failed run");
}

TEST(Cooldown, ClosesAfterATrialThatWasStable) {
  Process process(kThree);
  process.fails_times(3);
  const PolicyDecision stable = process.fails(60s);
  EXPECT_TRUE(stable.reset);
  EXPECT_EQ(stable.delay, 0ns) << "the first restart after a stable run is immediate";
  // Its end is the first of a new row.
  EXPECT_EQ(process.fails().delay, 100ms);
  EXPECT_EQ(process.fails().delay, 5min);
}

TEST(Cooldown, TakesALongTrialThatNeverBecameReadyForAFailedOne) {
  RestartPolicyUnderTest policy(cooldown(), R"({"failures":1,"jitter":0,"reset_after":"10s"})");
  tenon_exit exit = exited(TENON_ENDED_STARTUP, 0);
  exit.was_ready = 0;
  exit.ready_time_ns = 0;
  exit.run_time_ns = 3'600'000'000'000;
  const PolicyDecision first = policy.on_exit(exit);
  EXPECT_EQ(first.delay, 5min);
  std::copy(first.memory.begin(), first.memory.end(), exit.memory);
  EXPECT_EQ(policy.on_exit(exit).delay, 5min);
}

TEST(Cooldown, NeverOpensOnAStableRunAlone) {
  Process process(R"({"failures":1,"jitter":0})");
  for (int i = 0; i < 10; ++i) {
    const PolicyDecision stable = process.fails(60s);
    EXPECT_TRUE(stable.reset);
    EXPECT_EQ(stable.delay, 0ns);
  }
  EXPECT_EQ(process.fails().delay, 5min);
}

TEST(Cooldown, CountsFailedRunsOfEveryKind) {
  for (const std::uint32_t ended : {TENON_ENDED_CODE, TENON_ENDED_SIGNAL, TENON_ENDED_SPAWN, TENON_ENDED_HEALTH,
                                    TENON_ENDED_STARTUP, TENON_ENDED_CHANNEL}) {
    Process process(R"({"failures":2,"jitter":0})");
    EXPECT_EQ(process.ends(ended, 7).delay, 0ns) << ended;
    EXPECT_EQ(process.ends(ended, 7).delay, 5min) << ended;
  }
}

TEST(Cooldown, CoolsDownLongerAfterEachFailedTrialUpToTheLongest) {
  Process process(R"({"failures":1,"cooldown":"1m","cooldown_factor":3,"cooldown_max":"20m","jitter":0})");
  for (const auto expected : {1min, 3min, 9min, 20min, 20min}) EXPECT_EQ(process.fails().delay, expected);
  process.fails(60s);
  EXPECT_EQ(process.fails().delay, 1min) << "closed in between: the first cool-down again";
}

TEST(Cooldown, StaysAtTheLongestForAnyNumberOfTrials) {
  Process process(R"({"failures":1,"cooldown_factor":1e300,"jitter":0})");
  process.fails();
  for (const std::uint64_t cooldowns : {std::uint64_t{1}, std::uint64_t{2000}, UINT64_MAX - 1, UINT64_MAX}) {
    process.memory[1] = process.memory[2] = cooldowns;
    EXPECT_EQ(process.fails().delay, 24h) << cooldowns;
  }
}

TEST(Cooldown, DrawsTheJitterOnTopSoThatItNeverWaitsLess) {
  Process process(R"({"failures":1,"cooldown":"100s","jitter":0.25})");
  EXPECT_EQ(process.fails().delay, 100s);
  process.random = UINT64_MAX;
  EXPECT_NEAR(static_cast<double>(process.fails().delay.count()), 125e9, 100);
  process.random = UINT64_MAX / 2;
  EXPECT_NEAR(static_cast<double>(process.fails().delay.count()), 112.5e9, 100);
}

TEST(Cooldown, WaitsNoLongerThanTheDayThatTheHostAllows) {
  Process process(R"({"failures":1,"cooldown":"20h","jitter":1})");
  process.random = UINT64_MAX;
  EXPECT_EQ(process.fails().delay, 24h);
}

TEST(Cooldown, FinishesOnASuccessAsOnFailureDoes) {
  Process process(R"({"failures":2,"success_codes":[0,3],"success_signals":["TERM"]})");
  for (const auto& [ended, value] : {std::pair(TENON_ENDED_CODE, 0), std::pair(TENON_ENDED_CODE, 3),
                                     std::pair(TENON_ENDED_SIGNAL, SIGTERM)}) {
    const PolicyDecision decision = process.ends(ended, value);
    EXPECT_EQ(decision.action, TENON_RESTART_FINISHED) << value;
    EXPECT_EQ(decision.text, "") << "the host tells the exit itself";
  }
  EXPECT_EQ(process.ends(TENON_ENDED_SIGNAL, SIGKILL).action, TENON_RESTART_RESTART);
  EXPECT_EQ(process.ends(TENON_ENDED_SPAWN, SIGTERM).action, TENON_RESTART_RESTART);
}

TEST(Cooldown, RestartsOnASuccessIfToldToAndForgetsTheFailedRuns) {
  Process process(R"({"failures":3,"on_success":"restart","jitter":0})");
  process.fails_times(2);
  const PolicyDecision success = process.ends(TENON_ENDED_CODE, 0);
  EXPECT_EQ(success.action, TENON_RESTART_RESTART);
  EXPECT_FALSE(success.reset) << "a success that comes at once is not stable";
  EXPECT_EQ(success.delay, 200ms) << "nor does it spin";
  EXPECT_EQ(process.fails().delay, 400ms);
  EXPECT_EQ(process.fails().delay, 800ms);
  EXPECT_EQ(process.fails().delay, 5min);
}

TEST(Cooldown, ClosesAfterATrialThatSucceeds) {
  Process process(R"({"failures":2,"on_success":"restart","jitter":0})");
  process.fails_times(2);
  const PolicyDecision success = process.ends(TENON_ENDED_CODE, 0);
  EXPECT_EQ(success.text, "the trial run succeeded");
  EXPECT_TRUE(success.reset);
  EXPECT_EQ(success.delay, 0ns);
  EXPECT_EQ(process.fails().delay, 100ms);
  EXPECT_EQ(process.fails().delay, 5min);
}

TEST(Cooldown, RemembersNothingButWhatTheHostHandsIn) {
  Process process(kThree);
  process.fails_times(2);
  RestartPolicyUnderTest successor(cooldown(), kThree);
  tenon_exit exit = exited(TENON_ENDED_CODE, 1, process.consecutive);
  std::copy(process.memory.begin(), process.memory.end(), exit.memory);
  EXPECT_EQ(successor.on_exit(exit).delay, 5min);
  std::fill(std::begin(exit.memory), std::end(exit.memory), 0);  // an operator reset the process
  exit.consecutive = 0;
  EXPECT_EQ(successor.on_exit(exit).delay, 0ns);
}

TEST(Cooldown, TakesTheMemoryOfAnotherPolicyForNone) {
  Process process(kThree);
  process.memory = {UINT64_MAX, 5, 5, 5};
  EXPECT_EQ(process.fails().delay, 0ns);
  EXPECT_EQ(process.fails().text, "1 more failed run and it cools down");
}

TEST(Cooldown, FollowsANewLimitAtTheNextFailedRun) {
  Process patient(R"({"failures":10,"jitter":0})");
  patient.fails_times(5);
  Process strict(R"({"failures":2,"jitter":0})");
  strict.memory = patient.memory;
  EXPECT_EQ(strict.fails().text, "cooling down for 5 min after 6 failed runs");
}

TEST(Cooldown, RefusesValuesOutsideTheirRangeAndNamesThem) {
  EXPECT_THAT(refusal(cooldown(), R"({"failures":0})"), HasSubstr("failures"));
  EXPECT_THAT(refusal(cooldown(), R"({"cooldown":"0"})"), HasSubstr("cooldown to more than 0"));
  EXPECT_THAT(refusal(cooldown(), R"({"cooldown":"25h"})"), HasSubstr("24h or less"));
  EXPECT_THAT(refusal(cooldown(), R"({"cooldown_max":"2d"})"), HasSubstr("24h or less"));
  EXPECT_THAT(refusal(cooldown(), R"({"cooldown_max":"1m"})"), HasSubstr("at least as long as cooldown"));
  EXPECT_THAT(refusal(cooldown(), R"({"cooldown_factor":0.5})"), HasSubstr("cooldown_factor"));
  EXPECT_THAT(refusal(cooldown(), R"({"on_success":"stop"})"), HasSubstr("on_success"));
  EXPECT_THAT(refusal(cooldown(), R"({"jitter":2})"), HasSubstr("jitter"));
  EXPECT_THAT(refusal(cooldown(), R"({"success_signals":["TREM"]})"), HasSubstr("no signal is called TREM"));
  EXPECT_EQ(refusal(cooldown(), "{}"), "");
}

TEST(Cooldown, DescribesEveryKeyOfItsConfigInTheNote) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("cooldown").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto schema = note.value().root().find("components")->at(0).find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  EXPECT_EQ(schema->find("properties")->size(), 12u);
  for (const auto property : schema->find("properties")->members()) {
    EXPECT_TRUE(property.value.find("description")) << property.key;
    EXPECT_TRUE(property.value.find("default")) << property.key;
  }
}

}  // namespace
