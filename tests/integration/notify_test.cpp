// Real processes that speak of themselves by sd_notify(3), as programs written for systemd do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <unistd.h>
#include <fstream>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Notify : public testing::Test {
 protected:
  // One process "svc" whose notifier takes these steps; `rest` goes on after its command.
  void run(const std::string& steps, const std::string& rest) {
    host_.emplace(R"({ "supervision": { "children": [ { "id": "svc",
      "command": ["python3", "${WORKERS}/notifier.py", )" + steps + "], " + rest + " } ] } }");
    host_->launch();
  }
  std::string reason() const {
    const auto all = host_->json({"ps"});
    if (!all || all->root().size() == 0) return "";
    return std::string(all->root().at(0).find("reason")->as_string().value_or(""));
  }
  bool becomes(const std::string& status) {
    return wait_until([&] { return host_->worker_status("svc") == status; });
  }
  void touch(const std::string& name) { std::ofstream{host_->path(name)}; }
  std::string status_text() const { return host_->cli({"status", "svc"}).out; }

  std::optional<HostProcess> host_;
};

TEST_F(Notify, MakesAProcessReadyAndSaysWhatItIsDoing) {
  run(R"("STATUS=warming up", "wait go", "READY=1|STATUS=serving")", R"("ready": { "on": "notify", "timeout": "1m" })");
  ASSERT_TRUE(wait_until([&] { return status_text().find("warming up") != std::string::npos; })) << host_->log();
  EXPECT_EQ(host_->worker_status("svc"), "initializing");
  EXPECT_THAT(reason(), HasSubstr("no READY=1"));
  touch("go");
  EXPECT_TRUE(becomes("idle"));
  EXPECT_EQ(reason(), "serving");
}

TEST_F(Notify, ReachesAProcessOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root starts processes as another user";
  run(R"("READY=1")", R"("user": "nobody", "cwd": "/", "ready": { "on": "notify", "timeout": "1m" })");
  EXPECT_TRUE(becomes("idle")) << host_->log();
}

TEST_F(Notify, IsNotTooLateForOneThatAsksForMoreTime) {
  run(R"("EXTEND_TIMEOUT_USEC=60000000", "wait go", "READY=1")", R"("ready": { "on": "notify", "timeout": "2s" })");
  ASSERT_TRUE(wait_until([&] { return host_->worker_pid("svc") != 0; }));
  const pid_t first = host_->worker_pid("svc");
  // Its own timeout passes.
  ASSERT_TRUE(wait_until([&] { return host_->json({"ps"})->root().at(0).find("uptime_ms")->as_i64().value_or(0) > 2500; }));
  touch("go");
  EXPECT_TRUE(becomes("idle"));
  EXPECT_EQ(host_->worker_pid("svc"), first);
}

TEST_F(Notify, ShowsAReload) {
  run(R"("READY=1", "wait reload", "RELOADING=1", "wait done", "READY=1")", R"("ready": { "on": "notify" })");
  ASSERT_TRUE(becomes("idle")) << host_->log();
  touch("reload");
  EXPECT_TRUE(wait_until([&] { return reason() == "reloading, as it says"; }));
  touch("done");
  EXPECT_TRUE(wait_until([&] { return reason().empty(); }));
}

TEST_F(Notify, LetsAProcessEndByItself) {
  run(R"("wait end", "STOPPING=1", "wait gone", "exit 0")",
      R"("restart": { "policy": "never" }, "stop": { "grace": "1m" }, "ready": { "on": "notify", "timeout": "0s" })");
  ASSERT_TRUE(wait_until([&] { return host_->worker_pid("svc") != 0; })) << host_->log();
  touch("end");
  EXPECT_TRUE(becomes("stopping"));
  touch("gone");
  EXPECT_TRUE(becomes("terminated"));
  EXPECT_THAT(reason(), HasSubstr("exit code 0"));
}

TEST_F(Notify, FeedsTheWatchdog) {
  run(R"("READY=1", "every 0.1 WATCHDOG=1")",
      R"("health": [ { "check": "watchdog", "interval": "50ms", "config": { "max_age": "3s" } } ])");
  ASSERT_TRUE(becomes("idle")) << host_->log();
  const auto environment = read_text("/proc/" + std::to_string(host_->worker_pid("svc")) + "/environ");
  EXPECT_THAT(environment, HasSubstr("WATCHDOG_USEC=3000000"));
  EXPECT_TRUE(wait_until([&] { return host_->json({"ps"})->root().at(0).find("uptime_ms")->as_i64().value_or(0) > 3500; }));
  EXPECT_EQ(host_->json({"status", "svc"})->root().find("restarts")->as_i64(), 0);
}

TEST_F(Notify, RestartsAProcessWhoseWatchdogIsSilent) {
  run(R"("READY=1")", R"("health": [ { "check": "watchdog", "interval": "50ms", "config": { "max_age": "500ms" } } ])");
  EXPECT_TRUE(wait_until([&] { return host_->log().find("the last WATCHDOG=1 came") != std::string::npos; }));
  EXPECT_TRUE(wait_until([&] { return host_->json({"status", "svc"})->root().find("restarts")->as_i64() > 0; }));
}

TEST_F(Notify, RestartsAProcessThatAsksForIt) {
  run(R"("READY=1", "wait bite", "WATCHDOG=trigger")",
      R"("health": [ { "check": "watchdog", "interval": "50ms", "config": { "max_age": "10m" } } ])");
  ASSERT_TRUE(becomes("idle")) << host_->log();
  touch("bite");
  EXPECT_TRUE(wait_until([&] { return host_->log().find("WATCHDOG=trigger") != std::string::npos; }));
}

TEST_F(Notify, WaitsForAnEngineThatIsAway) {
  run(R"("wait go", "READY=1", "touch sent")", R"("ready": { "on": "notify", "timeout": "1m" })");
  ASSERT_TRUE(wait_until([&] { return host_->worker_pid("svc") != 0; })) << host_->log();
  const pid_t worker = host_->worker_pid("svc"), engine = host_->engine_pid();
  ::kill(engine, SIGSTOP);
  touch("go");
  ASSERT_TRUE(wait_until([&] { return ::access(host_->path("sent").c_str(), F_OK) == 0; }));
  ::kill(engine, SIGKILL);
  EXPECT_TRUE(becomes("idle"));
  EXPECT_EQ(host_->worker_pid("svc"), worker);
}

}  // namespace
}  // namespace tenon::test_support
