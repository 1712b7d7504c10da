#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const tenon_health_check& exec() {
  static const LoadedPlugin plugin = LoadedPlugin::open("exec");
  return plugin.health_check("exec");
}

// The config of a shell script, with more members such as `,"cwd":"/"`.
std::string shell(const std::string& script, const std::string& more = {}) {
  return R"({"command":["sh","-c",")" + script + "\"]" + more + "}";
}

TEST(ExecCheck, IsHealthyWhenTheCommandSucceeds) {
  HealthCheckUnderTest check(exec(), R"({"command":["true"]})");
  const CheckCompletion done = check.check();
  EXPECT_EQ(done.health, TENON_HEALTHY);
  EXPECT_THAT(done.reason, IsEmpty());
}

TEST(ExecCheck, GivesTheLastLineOfTheOutputAsReason) {
  HealthCheckUnderTest check(exec(), shell("echo starting; echo disk is full >&2; echo; exit 3"));
  const CheckCompletion done = check.check();
  EXPECT_EQ(done.health, TENON_UNHEALTHY);
  EXPECT_EQ(done.reason, "sh ended with exit code 3: disk is full");
}

TEST(ExecCheck, GivesTheExitCodeAloneWithoutOutput) {
  EXPECT_EQ(HealthCheckUnderTest(exec(), shell("exit 3")).check().reason, "sh ended with exit code 3");
}

TEST(ExecCheck, PrintsNoControlCharactersOfTheOutput) {
  HealthCheckUnderTest check(exec(), shell("printf 'a\\\\033[31mb\\\\tc'; exit 1"));
  EXPECT_EQ(check.check().reason, "sh ended with exit code 1: a [31mb c");
}

TEST(ExecCheck, GivesAReasonInUtf8WhateverTheOutputIs) {
  HealthCheckUnderTest check(exec(), shell(R"(printf 'gr\\303\\274n \\377\\355\\240\\200\\360\\237'; exit 1)"));
  EXPECT_EQ(check.check().reason, "sh ended with exit code 1: grün ??????");
}

TEST(ExecCheck, CutsALongLine) {
  HealthCheckUnderTest check(exec(), shell("head -c 3000 /dev/zero | tr '\\\\0' x; exit 1"));
  EXPECT_THAT(check.check().reason, SizeIs(std::string("sh ended with exit code 1: ").size() + 256));
}

TEST(ExecCheck, IsDegradedOnlyOnTheConfiguredCodes) {
  const std::string degraded = R"(,"degraded_codes":[1,2])";
  EXPECT_EQ(HealthCheckUnderTest(exec(), shell("exit 2", degraded)).check().health, TENON_DEGRADED);
  EXPECT_EQ(HealthCheckUnderTest(exec(), shell("exit 3", degraded)).check().health, TENON_UNHEALTHY);
}

TEST(ExecCheck, NamesTheSignalThatEndedTheCommand) {
  EXPECT_EQ(HealthCheckUnderTest(exec(), shell("kill -9 $$")).check().reason, "sh was ended by signal 9 (KILL)");
}

TEST(ExecCheck, SaysWhyTheCommandDidNotStart) {
  HealthCheckUnderTest check(exec(), R"({"command":["./no-such-program"]})");
  const CheckCompletion done = check.check();
  EXPECT_EQ(done.health, TENON_UNHEALTHY);
  EXPECT_EQ(done.reason, "cannot start ./no-such-program: No such file or directory");
}

TEST(ExecCheck, PassesTheEnvironmentWhateverItsNamesAndValues) {
  const std::string env = R"(,"env":{"PLAIN":"x y","a\/b~\u00e9\ud83d\ude00":"{\"env\":1}","EMPTY":""}})";
  // A shell would drop names that it cannot use itself, so the environment is read as it was passed.
  const auto passed = [&env](const std::string& text) {
    return HealthCheckUnderTest(exec(), R"({"command":["grep","-qaF",")" + text + R"(","/proc/self/environ"])" + env)
        .check()
        .health;
  };
  EXPECT_EQ(passed("PLAIN=x y"), TENON_HEALTHY);
  EXPECT_EQ(passed(R"(a/b~é😀={\"env\":1})"), TENON_HEALTHY);
  EXPECT_EQ(passed("EMPTY="), TENON_HEALTHY);
  EXPECT_EQ(passed("command="), TENON_UNHEALTHY);
}

TEST(ExecCheck, TakesOnlyTheMembersOfItsOwnEnvironment) {
  HealthCheckUnderTest check(exec(), R"({"command":["sh","-c","test -z \"$INNER$env$command\"","env"],
                                         "cwd":"/","degraded_codes":[],"env":{"OUTER":"env"}})");
  EXPECT_EQ(check.check().reason, "");
}

TEST(ExecCheck, RunsInTheConfiguredDirectory) {
  EXPECT_EQ(HealthCheckUnderTest(exec(), shell("test $(pwd) = /usr", R"(,"cwd":"/usr")")).check().reason, "");
}

TEST(ExecCheck, IsUnhealthyWhenTheCommandDoesNotEndByTheDeadline) {
  HealthCheckUnderTest check(exec(), R"({"command":["sleep","1000"]})");
  const std::uint64_t token = check.begin(5s);
  check.host.advance(5s);
  ASSERT_TRUE(check.host.check(token));
  EXPECT_EQ(check.host.check(token)->reason, "sleep did not end in time and was killed");
}

TEST(ExecCheck, KillsTheCommandOfACancelledCheckAndDoesNotCompleteIt) {
  HealthCheckUnderTest check(exec(), R"({"command":["sleep","1000"]})");
  check.begin(5s);
  ASSERT_EQ(check.host.commands(), 1u);
  check.cancel();
  EXPECT_EQ(check.host.commands(), 0u) << "it would hold one of the instance's 16 places until its deadline";
  check.host.advance(5s);
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST(ExecCheck, MayBeCancelledOnceItsCommandHasEnded) {
  HealthCheckUnderTest check(exec(), R"({"command":["true"]})");
  EXPECT_EQ(check.check().health, TENON_HEALTHY);
  check.cancel();
  EXPECT_EQ(check.check().health, TENON_HEALTHY);
}

TEST(ExecCheck, AnswersOnlyTheNewestCheckAfterACancelledOne) {
  HealthCheckUnderTest check(exec(), shell("exit 7"));
  check.begin();
  check.cancel();
  const std::uint64_t second = check.begin();
  ASSERT_TRUE(check.host.pump([&] { return check.host.commands() == 0; }));
  ASSERT_THAT(check.host.checks(), SizeIs(1));
  EXPECT_EQ(check.host.checks()[0].token, second);
}

TEST(ExecCheck, DoesNotCompleteAfterTheIncarnationIsOver) {
  HealthCheckUnderTest check(exec(), R"({"command":["sleep","1000"]})");
  check.begin(5s);
  check.stop();
  EXPECT_EQ(check.host.commands(), 0u);
  check.host.advance(5s);
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST(ExecCheck, LeavesNothingBehindWhenItIsDestroyedUnderWay) {
  HealthCheckUnderTest check(exec(), R"({"command":["sleep","1000"]})");
  check.begin();
  check.destroy();  // the leak checker and the fake host's rules do the rest
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST(ExecCheck, RefusesTheCheckWhenTheHostRunsNoMoreCommands) {
  HealthCheckUnderTest check(exec(), R"({"command":["true"]})");
  check.host.script.command = TENON_ERR_EXHAUSTED;
  EXPECT_EQ(check.begin(), 0u);
  EXPECT_THAT(check.refused, HasSubstr("refused a command"));
}

TEST(ExecCheck, RefusesAConfigWithoutACommand) {
  EXPECT_THAT(refusal(exec(), "{}"), HasSubstr("command is missing"));
}

TEST(ExecCheck, DescribesEveryKeyOfItsConfigInTheNote) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("exec").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto schema = note.value().root().find("components")->at(0).find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  EXPECT_EQ(schema->find("properties")->size(), 4u);
  for (const auto property : schema->find("properties")->members())
    EXPECT_TRUE(property.value.find("description")) << property.key;
}

}  // namespace
