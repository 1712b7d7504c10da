// The engine dies, hangs, or is replaced; the workers do not notice.
#include <gtest/gtest.h>
#include <signal.h>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

constexpr const char* kLoaded = R"({
  "engine": { "hang_timeout": "1s" },
  "supervision": { "children": [
    { "id": "echo", "replicas": 2, "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask", "group": "echoes" }, { "topic": "load", "group": "echoes" }],
      "ready": { "on": "event" } },
    { "id": "plain", "command": ["sleep", "1000"] },
    { "id": "load", "command": ["${WORKERS}/ticker.py", "load", "0"], "channel": { "kind": "stdio" },
      "publish": ["load"], "ready": { "on": "event" } },
    { "id": "sink", "command": ["${WORKERS}/quiet.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "echo.>" }], "ready": { "on": "event" } }
  ] } })";

const std::vector<std::string> kWorkers = {"echo.1", "echo.2", "plain", "load", "sink"};

std::vector<pid_t> pids(const HostProcess& host) {
  std::vector<pid_t> found;
  for (const std::string& id : kWorkers) found.push_back(host.worker_pid(id));
  return found;
}

bool answers(const HostProcess& host) {
  return host.cli({"request", "ask", "--data", "1", "--timeout", "20s"}).exit_code == 0;
}

TEST(EngineDeath, KillingTheEngineUnderLoadLeavesEveryWorkerItsPid) {
  HostProcess host(kLoaded);
  ASSERT_TRUE(host.start()) << host.log();
  const std::vector<pid_t> before = pids(host);
  for (int round = 1; round <= 5; ++round) {
    const pid_t engine = host.engine_pid();
    ASSERT_GT(engine, 0);
    ::kill(engine, SIGKILL);
    ASSERT_TRUE(host.wait_for_engine_restart(round)) << host.log();
    EXPECT_NE(host.engine_pid(), engine);
    EXPECT_TRUE(answers(host)) << host.log();
  }
  // The write whose fate is unknown may cost one worker its life in each round; `plain` and most others keep theirs.
  const std::vector<pid_t> after = pids(host);
  EXPECT_EQ(after[2], before[2]);
  for (const pid_t pid : after) EXPECT_TRUE(is_alive(pid));
  EXPECT_EQ(host.stop(), 0);
}

TEST(EngineDeath, IdleWorkersKeepTheirPidsThroughManyDeaths) {
  HostProcess host(R"({ "supervision": { "children": [
    { "id": "echo", "replicas": 4, "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask", "group": "echoes" }], "ready": { "on": "event" } } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  const std::vector<pid_t> before = {host.worker_pid("echo.1"), host.worker_pid("echo.2"), host.worker_pid("echo.3"),
                                     host.worker_pid("echo.4")};
  for (int round = 1; round <= 5; ++round) {
    EXPECT_TRUE(answers(host)) << host.log();
    ::kill(host.engine_pid(), SIGKILL);
    ASSERT_TRUE(host.wait_for_engine_restart(round)) << host.log();
  }
  EXPECT_TRUE(answers(host)) << host.log();
  EXPECT_EQ((std::vector<pid_t>{host.worker_pid("echo.1"), host.worker_pid("echo.2"), host.worker_pid("echo.3"),
                                host.worker_pid("echo.4")}),
            before);
}

TEST(EngineDeath, AHungEngineIsReplaced) {
  HostProcess host(kLoaded);
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t plain = host.worker_pid("plain");
  const pid_t engine = host.engine_pid();
  ASSERT_GT(engine, 0);
  ::kill(engine, SIGSTOP);
  ASSERT_TRUE(wait_until([&] { return !is_alive(engine); })) << host.log();
  ASSERT_TRUE(host.wait_for_engine_restart(1)) << host.log();
  EXPECT_EQ(host.worker_pid("plain"), plain);
  EXPECT_TRUE(answers(host)) << host.log();
}

TEST(EngineDeath, AWorkerThatEndsMeanwhileIsSeenWithItsTrueStatus) {
  HostProcess host(kLoaded);
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t plain = host.worker_pid("plain");
  const pid_t engine = host.engine_pid();
  ::kill(engine, SIGSTOP);
  ::kill(plain, SIGKILL);
  ::kill(engine, SIGKILL);
  ASSERT_TRUE(host.wait_for_engine_restart(1)) << host.log();
  ASSERT_TRUE(wait_until([&] { return host.worker_pid("plain") > 0 && host.worker_pid("plain") != plain; }))
      << host.log();
  const auto status = host.json({"status", "plain"});
  ASSERT_TRUE(status);
  EXPECT_NE(status->root().find("last_exit")->find("how")->as_string()->find("KILL"), std::string_view::npos);
}

// A service manager that signals the whole cgroup, or pkill: the keeper decides what a signal means, the engine only
// serves.
TEST(EngineDeath, SignalsThatAskToEndDoNotEndTheEngine) {
  HostProcess host(R"({ "supervision": { "children": [ { "id": "plain", "command": ["sleep", "1000"] } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t engine = host.engine_pid();
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM}) ::kill(engine, number);
  EXPECT_EQ(host.engine_pid(), engine);
  EXPECT_EQ(host.engine_restarts(), 0) << host.log();
  EXPECT_EQ(host.stop(), 0);
}

}  // namespace
}  // namespace tenon::test_support
