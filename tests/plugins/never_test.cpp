#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace tenon::test_support;
using testing::HasSubstr;

const tenon_restart_policy& never() {
  static const LoadedPlugin plugin = LoadedPlugin::open("never");
  return plugin.restart_policy("never");
}

PolicyDecision decide(const std::string& config, std::uint32_t ended, std::int32_t value) {
  return RestartPolicyUnderTest(never(), config).on_exit(exited(ended, value));
}

TEST(Never, FinishesOnExitCodeZero) {
  const PolicyDecision decision = decide("{}", TENON_ENDED_CODE, 0);
  EXPECT_EQ(decision.action, TENON_RESTART_FINISHED);
  EXPECT_EQ(decision.text, "") << "the host tells the exit itself";
}

TEST(Never, GivesUpOnEveryFailureAndSaysWhy) {
  EXPECT_EQ(decide("{}", TENON_ENDED_CODE, 2).action, TENON_RESTART_GIVE_UP);
  EXPECT_EQ(decide("{}", TENON_ENDED_CODE, 2).text, "the policy is never to restart it");
  EXPECT_EQ(decide("{}", TENON_ENDED_SIGNAL, SIGSEGV).action, TENON_RESTART_GIVE_UP);
  EXPECT_EQ(decide("{}", TENON_ENDED_SPAWN, 0).action, TENON_RESTART_GIVE_UP);
  EXPECT_EQ(decide("{}", TENON_ENDED_HEALTH, 0).action, TENON_RESTART_GIVE_UP);
  EXPECT_EQ(decide("{}", TENON_ENDED_STARTUP, 0).action, TENON_RESTART_GIVE_UP);
}

TEST(Never, FinishesOnWhatTheConfigCallsASuccess) {
  const std::string config = R"({"success_codes":[0,75],"success_signals":["TERM"]})";
  EXPECT_EQ(decide(config, TENON_ENDED_CODE, 75).action, TENON_RESTART_FINISHED);
  EXPECT_EQ(decide(config, TENON_ENDED_SIGNAL, SIGTERM).action, TENON_RESTART_FINISHED);
  EXPECT_EQ(decide(config, TENON_ENDED_SIGNAL, SIGKILL).action, TENON_RESTART_GIVE_UP);
}

TEST(Never, RefusesASignalThatDoesNotExistByName) {
  EXPECT_THAT(refusal(never(), R"({"success_signals":["SIGNONE"]})"), HasSubstr("no signal is called SIGNONE"));
}

TEST(Never, KnowsNoCurve) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("never").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto schema = note.value().root().find("components")->at(0).find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  EXPECT_FALSE(schema->find("properties")->find("initial"));
  EXPECT_TRUE(schema->find("properties")->find("success_codes"));
}

}  // namespace
