#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;
using testing::HasSubstr;

const tenon_restart_policy& on_failure() {
  static const LoadedPlugin plugin = LoadedPlugin::open("on_failure");
  return plugin.restart_policy("on_failure");
}

std::uint32_t action(const std::string& config, std::uint32_t ended, std::int32_t value) {
  return RestartPolicyUnderTest(on_failure(), config).on_exit(exited(ended, value)).action;
}

TEST(OnFailure, FinishesOnExitCodeZero) {
  const PolicyDecision decision = RestartPolicyUnderTest(on_failure(), "{}").on_exit(exited(TENON_ENDED_CODE, 0, 3));
  EXPECT_EQ(decision.action, TENON_RESTART_FINISHED);
  EXPECT_EQ(decision.text, "") << "the host tells the exit itself";
}

TEST(OnFailure, RestartsEveryOtherEnd) {
  EXPECT_EQ(action("{}", TENON_ENDED_CODE, 1), TENON_RESTART_RESTART);
  EXPECT_EQ(action("{}", TENON_ENDED_SIGNAL, SIGTERM), TENON_RESTART_RESTART);
  EXPECT_EQ(action("{}", TENON_ENDED_SPAWN, 0), TENON_RESTART_RESTART);
  EXPECT_EQ(action("{}", TENON_ENDED_HEALTH, 0), TENON_RESTART_RESTART);
  EXPECT_EQ(action("{}", TENON_ENDED_STARTUP, 0), TENON_RESTART_RESTART);
}

TEST(OnFailure, CountsOnlyTheConfiguredCodesAsSuccess) {
  const std::string config = R"({"success_codes":[0,3]})";
  EXPECT_EQ(action(config, TENON_ENDED_CODE, 0), TENON_RESTART_FINISHED);
  EXPECT_EQ(action(config, TENON_ENDED_CODE, 3), TENON_RESTART_FINISHED);
  EXPECT_EQ(action(config, TENON_ENDED_CODE, 1), TENON_RESTART_RESTART);
  EXPECT_EQ(action(R"({"success_codes":[3]})", TENON_ENDED_CODE, 0), TENON_RESTART_RESTART);
}

TEST(OnFailure, HasNoSuccessfulCodeWithAnEmptyList) {
  EXPECT_EQ(action(R"({"success_codes":[]})", TENON_ENDED_CODE, 0), TENON_RESTART_RESTART);
}

TEST(OnFailure, CountsConfiguredSignalsAsSuccessWithAndWithoutTheirPrefix) {
  const std::string config = R"({"success_signals":["TERM","SIGINT"]})";
  EXPECT_EQ(action(config, TENON_ENDED_SIGNAL, SIGTERM), TENON_RESTART_FINISHED);
  EXPECT_EQ(action(config, TENON_ENDED_SIGNAL, SIGINT), TENON_RESTART_FINISHED);
  EXPECT_EQ(action(config, TENON_ENDED_SIGNAL, SIGKILL), TENON_RESTART_RESTART);
  // A code or an errno with the number of such a signal is something else.
  EXPECT_EQ(action(config, TENON_ENDED_CODE, SIGTERM), TENON_RESTART_RESTART);
  EXPECT_EQ(action(config, TENON_ENDED_SPAWN, SIGTERM), TENON_RESTART_RESTART);
  EXPECT_EQ(action(config, TENON_ENDED_HEALTH, SIGTERM), TENON_RESTART_RESTART);
}

TEST(OnFailure, RefusesASignalThatDoesNotExistByName) {
  EXPECT_THAT(refusal(on_failure(), R"({"success_signals":["TREM"]})"), HasSubstr("no signal is called TREM"));
}

TEST(OnFailure, WaitsAsTheCurveSays) {
  RestartPolicyUnderTest policy(on_failure(),
                                R"({"initial":"50ms","factor":3,"max":"1s","jitter":0,"reset_after":"5s"})");
  EXPECT_EQ(policy.on_exit(exited(TENON_ENDED_CODE, 1, 0)).delay, 0ms);
  EXPECT_EQ(policy.on_exit(exited(TENON_ENDED_CODE, 1, 1)).delay, 50ms);
  EXPECT_EQ(policy.on_exit(exited(TENON_ENDED_CODE, 1, 2)).delay, 150ms);
  EXPECT_EQ(policy.on_exit(exited(TENON_ENDED_CODE, 1, 9)).delay, 1s);
  tenon_exit stable = exited(TENON_ENDED_CODE, 1, 9);
  stable.run_time_ns = 5'000'000'000;
  EXPECT_TRUE(policy.on_exit(stable).reset);
}

TEST(OnFailure, DescribesEveryKeyOfItsConfigInTheNote) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("on_failure").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto schema = note.value().root().find("components")->at(0).find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  EXPECT_EQ(schema->find("properties")->size(), 7u);
  for (const auto property : schema->find("properties")->members())
    EXPECT_TRUE(property.value.find("description")) << property.key;
}

}  // namespace
