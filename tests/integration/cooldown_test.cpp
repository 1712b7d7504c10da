// A crash loop under restart_policy/cooldown: what it says, and that it outlives the engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

std::string reason_of(const HostProcess& host, const std::string& process) {
  const auto status = host.json({"status", process});
  return status ? std::string(status->root().find("reason")->as_string().value_or("")) : "";
}

TEST(Cooldown, GoesOnWhereItStoodWhenTheEngineDiesInACoolDown) {
  HostProcess host(R"({ "supervision": { "children": [
    { "id": "broken", "command": ["sh", "-c", "exit 7"], "restart": { "policy": "cooldown", "config": {
        "initial": "10ms", "failures": 3, "cooldown": "5s", "cooldown_factor": 1000, "cooldown_max": "1h",
        "jitter": 0 } } },
    { "id": "well", "command": ["sleep", "1000"] } ] } })");
  host.launch();
  ASSERT_TRUE(wait_until([&] {
    return reason_of(host, "broken").ends_with("exit code 7; cooling down for 5 s after 3 failed runs");
  })) << reason_of(host, "broken") << host.log();
  const pid_t well = host.worker_pid("well");
  ::kill(host.engine_pid(), SIGKILL);
  // The next engine makes the one trial when it is due, and knows that it was one.
  EXPECT_TRUE(wait_until([&] {
    return reason_of(host, "broken").ends_with("cooling down for 60 min after 4 failed runs, the last a trial");
  })) << reason_of(host, "broken") << host.log();
  EXPECT_EQ(host.engine_restarts(), 1);
  EXPECT_EQ(host.worker_pid("well"), well);
  EXPECT_EQ(host.json({"status", "broken"})->root().find("restarts")->as_i64(), 4);
}

}  // namespace
}  // namespace tenon::test_support
