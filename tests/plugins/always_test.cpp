#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;
using testing::HasSubstr;

const tenon_restart_policy& always() {
  static const LoadedPlugin plugin = LoadedPlugin::open("always");
  return plugin.restart_policy("always");
}

std::chrono::nanoseconds delay(const std::string& config, std::uint32_t consecutive, std::uint64_t random = 0) {
  RestartPolicyUnderTest policy(always(), config);
  tenon_exit exit = exited(TENON_ENDED_CODE, 1, consecutive);
  exit.random = random;
  return policy.on_exit(exit).delay;
}

TEST(Always, RestartsWhateverEndedTheProcess) {
  RestartPolicyUnderTest policy(always(), "{}");
  for (const std::uint32_t ended : {TENON_ENDED_CODE, TENON_ENDED_SIGNAL, TENON_ENDED_SPAWN, TENON_ENDED_HEALTH,
                                    TENON_ENDED_STARTUP})
    EXPECT_EQ(policy.on_exit(exited(ended, 0)).action, TENON_RESTART_RESTART) << ended;
}

TEST(Always, FollowsTheDocumentedCurveWithItsDefaults) {
  const std::chrono::nanoseconds expected[] = {0ms,    100ms,  200ms,   400ms,   800ms,  1600ms,
                                               3200ms, 6400ms, 12800ms, 25600ms, 30000ms, 30000ms};
  std::uint32_t consecutive = 0;
  for (const auto wait : expected) {
    EXPECT_EQ(delay(R"({"jitter":0})", consecutive), wait) << consecutive;
    ++consecutive;
  }
}

TEST(Always, FollowsAConfiguredCurve) {
  const std::string config = R"({"initial":"50ms","factor":1.5,"max":"100ms","jitter":0})";
  EXPECT_EQ(delay(config, 0), 0ms);
  EXPECT_EQ(delay(config, 1), 50ms);
  EXPECT_EQ(delay(config, 2), 75ms);
  EXPECT_EQ(delay(config, 3), 100ms);
}

TEST(Always, KeepsAConstantWaitWithAFactorOfOne) {
  for (const std::uint32_t consecutive : {1u, 2u, 1000u, 0xFFFFFFFFu})
    EXPECT_EQ(delay(R"({"initial":"2s","factor":1,"jitter":0})", consecutive), 2s);
}

TEST(Always, IsAlwaysImmediateWithoutAnInitialWaitOrWithoutAnyAllowedWait) {
  for (const std::uint32_t consecutive : {0u, 1u, 2u, 5000u, 0xFFFFFFFFu}) {
    EXPECT_EQ(delay(R"({"initial":"0ms"})", consecutive), 0ns);
    EXPECT_EQ(delay(R"({"max":"0ms"})", consecutive), 0ns);
    EXPECT_EQ(delay(R"({"initial":"0","max":"0"})", consecutive), 0ns);
  }
}

TEST(Always, CutsAnInitialWaitThatIsLongerThanTheLongest) {
  EXPECT_EQ(delay(R"({"initial":"10s","max":"1s","jitter":0})", 1), 1s);
}

TEST(Always, StaysAtTheLongestWaitForAnyNumberOfRestarts) {
  for (const std::uint32_t consecutive : {64u, 65u, 1024u, 2000u, 0x7FFFFFFFu, 0xFFFFFFFFu})
    EXPECT_EQ(delay(R"({"factor":1e300,"max":"100000d","jitter":0})", consecutive), 24h * 100000) << consecutive;
}

TEST(Always, ForgetsTheHistoryAfterAStableRun) {
  RestartPolicyUnderTest policy(always(), R"({"jitter":0,"reset_after":"10s"})");
  tenon_exit exit = exited(TENON_ENDED_CODE, 1, 7);
  exit.run_time_ns = 10'000'000'000;
  const PolicyDecision stable = policy.on_exit(exit);
  EXPECT_TRUE(stable.reset);
  EXPECT_EQ(stable.delay, 0ns);

  exit.run_time_ns -= 1;
  const PolicyDecision unstable = policy.on_exit(exit);
  EXPECT_FALSE(unstable.reset);
  EXPECT_EQ(unstable.delay, 6400ms);
}

TEST(Always, DoesNotTakeALongRunThatNeverBecameReadyForAStableOne) {
  RestartPolicyUnderTest policy(always(), R"({"jitter":0,"reset_after":"10s"})");
  tenon_exit exit = exited(TENON_ENDED_STARTUP, 0, 1);
  exit.was_ready = 0;
  exit.ready_time_ns = 0;
  exit.run_time_ns = 3'600'000'000'000;
  EXPECT_FALSE(policy.on_exit(exit).reset);
  EXPECT_EQ(policy.on_exit(exit).delay, 100ms);
}

TEST(Always, DrawsTheJitterBetweenBothBoundsOfItsRange) {
  const std::string config = R"({"initial":"1s","jitter":0.25})";
  EXPECT_EQ(delay(config, 1, 0), 1s);
  EXPECT_NEAR(static_cast<double>(delay(config, 1, UINT64_MAX).count()), 0.75e9, 1);
  EXPECT_NEAR(static_cast<double>(delay(config, 1, UINT64_MAX / 2).count()), 0.875e9, 1);
}

TEST(Always, DrawsAnythingDownToNothingWithFullJitter) {
  const std::string config = R"({"initial":"1s","jitter":1})";
  EXPECT_EQ(delay(config, 1, 0), 1s);
  EXPECT_LE(delay(config, 1, UINT64_MAX), 1ns);
}

TEST(Always, DrawsTheJitterUniformly) {
  std::mt19937_64 random(1);
  RestartPolicyUnderTest policy(always(), R"({"initial":"1s","jitter":0.5})");
  int quarters[4] = {};
  tenon_exit exit = exited(TENON_ENDED_CODE, 1, 1);
  for (int i = 0; i < 40'000; ++i) {
    exit.random = random();
    const auto into_range = policy.on_exit(exit).delay - 500ms;
    ++quarters[std::min<std::int64_t>(3, into_range / 125ms)];
  }
  for (const int count : quarters) EXPECT_NEAR(count, 10'000, 400);  // over four standard deviations
}

TEST(Always, NeverWaitsLessThanBeforeNorMoreThanTheLongestOnAnyCurve) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t initial = random() % 10'000, longest = random() % 100'000;
    const double factor = 1 + static_cast<double>(random() % 1000) / 100;
    const std::string config = R"({"jitter":0,"initial":")" + std::to_string(initial) + R"(ms","max":")" +
                               std::to_string(longest) + R"(ms","factor":)" + std::to_string(factor) + "}";
    RestartPolicyUnderTest policy(always(), config);
    std::chrono::nanoseconds before = 0ns;
    for (std::uint64_t consecutive = 0; consecutive <= 0xFFFFFFFF; consecutive = consecutive * 3 / 2 + 1) {
      const auto wait = policy.on_exit(exited(TENON_ENDED_CODE, 1, static_cast<std::uint32_t>(consecutive))).delay;
      EXPECT_GE(wait, before) << "round " << round << ", after " << consecutive;
      EXPECT_LE(wait, std::chrono::milliseconds(longest));
      before = wait;
    }
  }
}

TEST(Always, KeepsEveryDrawWithinTheJittersRangeOnAnyCurve) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 500; ++round) {
    const std::uint32_t consecutive = 1 + static_cast<std::uint32_t>(random() % 20);
    const int percent = static_cast<int>(random() % 101);
    const auto whole = delay(R"({"jitter":0})", consecutive);
    const auto drawn = delay(R"({"jitter":)" + std::to_string(percent / 100.0) + "}", consecutive, random());
    EXPECT_LE(drawn, whole);
    EXPECT_GE(drawn + 1ns, whole * (100 - percent) / 100) << percent << "% after " << consecutive;
  }
}

TEST(Always, LeavesItToTheHostToTellExitNumberAndDelay) {
  RestartPolicyUnderTest policy(always(), R"({"jitter":0})");
  EXPECT_EQ(policy.on_exit(exited(TENON_ENDED_CODE, 3, 4)).text, "");
}

TEST(Always, RefusesNumbersOutsideTheirRangeAndNamesThem) {
  EXPECT_THAT(refusal(always(), R"({"factor":0.5})"), HasSubstr("factor"));
  EXPECT_THAT(refusal(always(), R"({"jitter":1.5})"), HasSubstr("jitter"));
  EXPECT_THAT(refusal(always(), R"({"jitter":-0.1})"), HasSubstr("jitter"));
  EXPECT_EQ(refusal(always(), "{}"), "");
}

TEST(Always, DescribesEveryKeyOfItsConfigInTheNote) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("always").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto schema = note.value().root().find("components")->at(0).find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  const auto properties = *schema->find("properties");
  ASSERT_EQ(properties.size(), 5u);
  for (const auto property : properties.members()) {
    EXPECT_TRUE(property.value.find("description")) << property.key;
    EXPECT_TRUE(property.value.find("default")) << property.key;
  }
  EXPECT_EQ(properties.find("initial")->find("pattern")->as_string(), "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)|0)$");
}

}  // namespace
