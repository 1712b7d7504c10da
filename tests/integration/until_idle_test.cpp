// `tenon run --until-idle`: when it ends, when it waits, and with what exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

const HostProcess::Options kUntilIdle = {{"--until-idle"}, {}, {}};

std::string children(const std::string& list) { return R"({ "supervision": { "children": [)" + list + "] } }"; }

TEST(UntilIdle, EndsWhenEveryProcessWithoutASubscriptionHasTerminated) {
  HostProcess host(children(R"(
    { "id": "task", "command": ["true"], "restart": { "policy": "never" } },
    { "id": "idle", "command": ["${WORKERS}/quiet.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "x" }], "ready": { "on": "event" } })"),
                   kUntilIdle);
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 0) << host.log();
}

TEST(UntilIdle, DeliversEverythingBeforeItEnds) {
  HostProcess host(children(R"(
    { "id": "ticker", "command": ["${WORKERS}/ticker.py", "tick", "5000"], "channel": { "kind": "stdio" },
      "restart": { "policy": "never" }, "depends_on": ["recorder"], "ready": { "on": "event" } },
    { "id": "recorder", "command": ["${WORKERS}/recorder.py", "${TEST}/ticks"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "tick" }], "ready": { "on": "event" } })"),
                   kUntilIdle);
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 0) << host.log();
  const std::string ticks = read_text(host.path("ticks"));
  EXPECT_EQ(std::count(ticks.begin(), ticks.end(), '\n'), 5000);
}

TEST(UntilIdle, WaitsForARestartThatIsDue) {
  // Fails once, and succeeds when it finds that it has run before.
  HostProcess host(children(R"(
    { "id": "second", "command": ["bash", "-c", "[[ -e ran ]] && touch done || { touch ran; exit 1; }"],
      "cwd": "${TEST}",
      "restart": { "policy": "on_failure", "config": { "initial": "200ms" } } })"),
                   kUntilIdle);
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 0) << host.log();
  EXPECT_EQ(run_program({"test", "-e", host.path("done")}).exit_code, 0);
}

TEST(UntilIdle, ExitsWithOneWhenAProcessIsInError) {
  HostProcess host(children(R"({ "id": "bad", "command": ["false"], "restart": { "policy": "never" } })"), kUntilIdle);
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 1) << host.log();
  EXPECT_THAT(host.log(), testing::HasSubstr("\ntenon: nothing is left to do; in error: bad (exit code 1; the policy is "
                                             "never to restart it); mend "));
}

TEST(UntilIdle, IsNotWaitedForWhenTheRootGivesUpWhichIsSaidLast) {
  HostProcess host(R"({ "supervision": { "on_limit": "escalate", "intensity": { "restarts": 0, "period": "10s" },
    "children": [ { "id": "bad", "command": ["false"], "restart": { "policy": "always" } } ] } })", kUntilIdle);
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 1) << host.log();
  EXPECT_THAT(host.log(), testing::HasSubstr("\ntenon: root gave up: bad: "));
}

TEST(UntilIdle, DoesNotEndWhileAProcessWithoutASubscriptionRuns) {
  HostProcess host(children(R"(
    { "id": "gate", "command": ["bash", "-c", "read -r line < ${TEST}/gate"], "restart": { "policy": "never" } })"),
                   kUntilIdle);
  ASSERT_EQ(run_program({"mkfifo", host.path("gate")}).exit_code, 0);
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_GT(host.worker_pid("gate"), 0);
  EXPECT_EQ(run_program({"bash", "-c", "echo > " + host.path("gate")}).exit_code, 0);
  EXPECT_EQ(host.wait_for_end(), 0) << host.log();
}

TEST(RunFor, EndsAfterItsTime) {
  HostProcess host(children(R"({ "id": "plain", "command": ["sleep", "1000"] })"), {{"--for", "300ms"}, {}, {}});
  host.launch();
  EXPECT_EQ(host.wait_for_end(), 0) << host.log();
}

}  // namespace
}  // namespace tenon::test_support
