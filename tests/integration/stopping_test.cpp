// However a host ends, nothing that it started is left.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "common/text.hpp"
#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

// `stubborn` ignores SIGTERM and has a child of its own that ignores it, too.
constexpr const char* kConfig = R"({
  "supervision": { "children": [
    { "id": "echo", "replicas": 2, "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "env": { "MARK": "${TEST}" }, "subscribe": [{ "topic": "ask", "group": "echoes" }], "ready": { "on": "event" } },
    { "id": "stubborn", "command": ["bash", "-c", "trap '' TERM; sleep 1000 & sleep 1000; sleep 1000"],
      "env": { "MARK": "${TEST}" }, "stop": { "grace": "500ms" } }
  ] } })";

class Stopping : public ::testing::Test {
 protected:
  Stopping() : host_(kConfig) {}

  void SetUp() override {
    ASSERT_TRUE(host_.start()) << host_.log();
    keeper_ = host_.keeper_pid();
    engine_ = host_.engine_pid();
    // Two echoes, the stubborn shell and its first child.
    ASSERT_TRUE(wait_until([&] { return left().size() >= 4; }));
  }
  std::set<pid_t> left() const { return processes_with_environment("MARK=" + host_.directory()); }
  bool all_gone() {
    return wait_until([&] { return left().empty() && !is_alive(engine_); });
  }

  HostProcess host_;
  pid_t keeper_ = 0, engine_ = 0;
};

TEST_F(Stopping, SigtermToTheKeeperStopsEverything) {
  host_.signal(SIGTERM);
  EXPECT_EQ(host_.wait_for_end(), 0) << host_.log();
  EXPECT_TRUE(all_gone());
}

TEST_F(Stopping, SigintIsTheSame) {
  host_.signal(SIGINT);
  EXPECT_EQ(host_.wait_for_end(), 0) << host_.log();
  EXPECT_TRUE(all_gone());
}

TEST_F(Stopping, SigtermWhileTheEngineHangsStopsEverything) {
  ::kill(engine_, SIGSTOP);
  host_.signal(SIGTERM);
  EXPECT_TRUE(host_.wait_for_end()) << host_.log();
  EXPECT_TRUE(all_gone());
}

TEST_F(Stopping, AKilledKeeperLeavesNoProcess) {
  ::kill(keeper_, SIGKILL);
  EXPECT_TRUE(host_.wait_for_end());
  EXPECT_TRUE(all_gone()) << host_.log();
}

TEST_F(Stopping, ShutdownEndsTheHostWithZero) {
  EXPECT_EQ(host_.cli({"shutdown"}).exit_code, 0);
  EXPECT_EQ(host_.wait_for_end(), 0) << host_.log();
  EXPECT_TRUE(all_gone());
}

TEST(StoppingAlone, AShutdownOutlivesTheEngine) {
  // Ends on the second request only: the engine's is the first, the keeper's the second.
  HostProcess host(R"({ "supervision": { "children": [
    { "id": "twice", "stop": { "grace": "1h" },
      "command": ["bash", "-c", "trap 'n=$((n+1)); echo $n > ${TEST}/asked; [ $n = 2 ] && exit 0' TERM; touch ${TEST}/up; while :; do sleep 0.05; done"] } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_TRUE(wait_until([&] { return ::access(host.path("up").c_str(), F_OK) == 0; }));
  const pid_t engine = host.engine_pid();
  ASSERT_EQ(host.cli({"shutdown", "--no-wait"}).exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return read_text(host.path("asked")) == "1\n"; })) << host.log();
  ::kill(engine, SIGKILL);
  EXPECT_EQ(host.wait_for_end(), 0) << host.log();
  EXPECT_EQ(read_text(host.path("asked")), "2\n");
}

// A job with a helper: when the job is done, all is.
TEST(StoppingAlone, TheEndOfASignificantChildEndsTheHost) {
  for (const int code : {0, 3}) {
    HostProcess host(R"({ "supervision": { "auto_shutdown": "any_significant", "children": [
      { "id": "helper", "command": ["sleep", "1000"] },
      { "id": "job", "significant": true, "restart": { "policy": "never" }, "depends_on": ["helper"],
        "command": ["sh", "-c", "exit )" + std::to_string(code) + R"("] } ] } })");
    host.launch();
    EXPECT_EQ(host.wait_for_end(), code == 0 ? 0 : 1) << host.log();
    EXPECT_NE(host.log().find("job, which is significant, ended"), std::string::npos) << host.log();
  }
}

TEST_F(Stopping, SigquitEndsEverythingAtOnce) {
  host_.signal(SIGQUIT);
  EXPECT_EQ(host_.wait_for_end(), 0) << host_.log();
  EXPECT_TRUE(all_gone());
}

TEST(StoppingLog, IsAsTheConfigSaysOfTheKeeperToo) {
  HostProcess quiet(R"({ "logging": { "level": "error" }, "supervision": { "children": [] } })");
  ASSERT_TRUE(quiet.start()) << quiet.log();
  EXPECT_EQ(quiet.stop(), 0);
  EXPECT_EQ(quiet.log(), "");
  HostProcess machine(R"({ "logging": { "format": "json" }, "supervision": { "children": [] } })");
  ASSERT_TRUE(machine.start()) << machine.log();
  EXPECT_EQ(machine.stop(), 0);
  const std::string log = machine.log();
  EXPECT_NE(log.find("\"keeper\""), std::string::npos) << log;
  for (const std::string_view line : split(log, '\n'))
    EXPECT_TRUE(line.empty() || line.starts_with('{')) << line;
}

TEST_F(Stopping, TheNextHostTakesTheSameSocket) {
  EXPECT_EQ(host_.stop(), 0);
  ASSERT_TRUE(host_.start()) << host_.log();
  EXPECT_GT(host_.worker_pid("echo.1"), 0);
}

}  // namespace
}  // namespace tenon::test_support
