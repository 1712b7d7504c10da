// Readiness and startup checks of real processes: who gets events, who keeps its pid, who is asked when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An exec check that succeeds while the test's directory has the file.
std::string check_of(const std::string& file, const std::string& role, const std::string& more = "") {
  return R"({ "check": "exec", "role": ")" + role + R"(", "interval": "20ms", "timeout": "30s")" + more +
         R"(, "config": { "command": ["bash", "-c", "[[ -e ${TEST}/)" + file + R"( ]] || { echo no )" + file +
         R"(; exit 1; }"] } })";
}

class HealthRoles : public ::testing::Test {
 protected:
  void make(const std::string& children, HostProcess::Options options = {}) {
    host_.emplace(R"({ "supervision": { "children": [)" + children + "] } }", std::move(options));
  }
  static std::string member(const std::string& id) {
    return R"({ "id": ")" + id + R"(", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask", "group": "g" }], "ready": { "on": "event" },
      "health": [)" + check_of(id + ".up", "readiness") + "] }";
  }
  void touch(const std::string& file) { std::ofstream(host_->path(file)) << "x"; }
  void remove(const std::string& file) { ASSERT_EQ(::unlink(host_->path(file).c_str()), 0); }
  std::string reason(const std::string& id) const {
    const auto status = host_->json({"status", id});
    return status ? std::string(status->root().find("reason")->as_string().value_or("")) : "";
  }
  bool becomes(const std::string& id, const std::string& status) {
    return wait_until([&] { return host_->worker_status(id) == status; });
  }
  // The pids of those who answer so many requests.
  std::set<pid_t> answerers(int requests) {
    std::set<pid_t> pids;
    for (int i = 0; i < requests; ++i) {
      const auto answer = host_->json({"request", "ask", "--data", "1", "--timeout", "20s"});
      const auto data = answer ? answer->root().find("data") : std::nullopt;
      const auto pid = data ? data->find("pid") : std::nullopt;
      pids.insert(pid ? static_cast<pid_t>(pid->as_i64().value_or(0)) : 0);
    }
    return pids;
  }
  std::size_t results(const std::string& role) const {
    const auto document = host_->json({"health"});
    if (!document) return 0;
    for (const JsonValue check : document->root().elements())
      if (check.find("role")->as_string() == role) return check.find("results")->size();
    return 0;
  }

  std::optional<HostProcess> host_;
};

TEST_F(HealthRoles, AGroupGoesOnWithoutAMemberThatIsNotReadyAndTakesItBack) {
  make(member("a") + "," + member("b") + R"(, { "id": "told", "command": ["${WORKERS}/recorder.py", "${TEST}/told"],
    "channel": { "kind": "stdio" }, "subscribe": [{ "topic": "system.health.changed" }], "ready": { "on": "event" } })");
  touch("a.up"), touch("b.up");
  ASSERT_TRUE(host_->start()) << host_->log();
  const pid_t a = host_->worker_pid("a"), b = host_->worker_pid("b");
  EXPECT_TRUE(wait_until([&] { return answerers(4) == std::set<pid_t>{a, b}; }));

  remove("a.up");
  ASSERT_TRUE(becomes("a", "initializing"));
  EXPECT_EQ(reason("a"), "not ready: exec: bash ended with exit code 1: no a.up");
  EXPECT_THAT(host_->cli({"ps"}).out, HasSubstr("not ready: exec"));
  EXPECT_THAT(host_->cli({"tree"}).out, HasSubstr("not ready: exec"));
  EXPECT_EQ(host_->http_status("/readyz"), 503);
  EXPECT_THAT(host_->http_answer("/metrics"), HasSubstr("tenon_process_up{process=\"a\"} 0"));
  EXPECT_THAT(answerers(10), ElementsAre(b));

  const pid_t engine = host_->engine_pid();
  ASSERT_GT(engine, 0);
  ::kill(engine, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return host_->engine_restarts() == 1; }));
  EXPECT_EQ(host_->worker_status("a"), "initializing");
  EXPECT_THAT(answerers(10), ElementsAre(b)) << "the next engine knows who is not ready";

  touch("a.up");
  ASSERT_TRUE(becomes("a", "idle")) << reason("a");
  EXPECT_TRUE(wait_until([&] { return answerers(4) == std::set<pid_t>{a, b}; }));
  EXPECT_EQ(host_->worker_pid("a"), a);
  EXPECT_EQ(host_->json({"status", "a"})->root().find("restarts")->as_i64(), 0);
  EXPECT_TRUE(wait_until([&] {
    const std::string told = read_text(host_->path("told"));
    return told.find(R"("role": "readiness", "health": "unhealthy")") != std::string::npos &&
           told.find(R"("reason": "", "ready": true)") != std::string::npos &&
           told.find(R"("ready": false)") != std::string::npos;
  })) << read_text(host_->path("told"));
}

TEST_F(HealthRoles, AReloadChangesARoleInPlace) {
  make(member("a"));
  touch("a.up");
  ASSERT_TRUE(host_->start()) << host_->log();
  const pid_t a = host_->worker_pid("a");
  remove("a.up");
  ASSERT_TRUE(becomes("a", "initializing"));
  std::string config = read_text(host_->config_path());
  const std::string readiness = R"("role": "readiness")";
  config.replace(config.find(readiness), readiness.size(), R"("role": "liveness", "on_unhealthy": "report")");
  std::ofstream(host_->config_path()) << config;
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_TRUE(becomes("a", "idle"));
  EXPECT_TRUE(wait_until([&] { return reason("a") == "bash ended with exit code 1: no a.up"; })) << reason("a");
  EXPECT_EQ(host_->worker_pid("a"), a);
}

TEST_F(HealthRoles, AStartupCheckHoldsOffTheOthersUntilItHasSucceeded) {
  make(R"({ "id": "w", "command": ["sleep", "1000"], "health": [)" +
       check_of("loaded", "startup", R"(, "unhealthy_after": 1000)") + "," +
       check_of("alive", "liveness", R"(, "unhealthy_after": 1)") + "] }");
  ASSERT_TRUE(host_->start()) << host_->log();
  const pid_t w = host_->worker_pid("w");
  EXPECT_TRUE(wait_until([&] { return results("startup") >= 5; }));
  EXPECT_EQ(results("liveness"), 0u);
  EXPECT_THAT(host_->cli({"health"}).out, HasSubstr("not asked before the startup check has succeeded"));
  touch("alive"), touch("loaded");
  EXPECT_TRUE(wait_until([&] { return results("liveness") >= 5; }));
  EXPECT_EQ(host_->worker_pid("w"), w);
  remove("loaded");
  const std::size_t asked = results("startup");
  const std::size_t before = results("liveness");
  EXPECT_TRUE(wait_until([&] { return results("liveness") >= before + 5 || results("liveness") == 50; }));
  EXPECT_EQ(results("startup"), asked) << "it is asked no more";
  remove("alive");
  EXPECT_TRUE(wait_until([&] { return host_->worker_pid("w") != w && host_->worker_pid("w") != 0; }));
}

TEST_F(HealthRoles, WhatWaitsForOneThatIsNotReadyIsDeliveredBeforeAnIdleHostEnds) {
  make(R"(
    { "id": "sink", "command": ["${WORKERS}/recorder.py", "${TEST}/got"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "tick", "group": "g" }], "ready": { "on": "event" }, "health": [)" +
           check_of("sink.up", "readiness") + R"(] },
    { "id": "ticker", "command": ["bash", "-c", "echo '{\"type\":\"tick\"}'"], "channel": { "kind": "stdio" },
      "restart": { "policy": "never" }, "depends_on": ["sink"] })",
       {{"--until-idle"}, {}, {}});
  host_->launch();
  ASSERT_TRUE(becomes("ticker", "terminated")) << host_->log();
  EXPECT_EQ(host_->json({"status", "sink"})->root().find("mailbox")->find("depth")->as_i64(), 1);
  EXPECT_EQ(reason("sink").substr(0, 10), "not ready:");
  touch("sink.up");
  EXPECT_EQ(host_->wait_for_end(), 0) << host_->log();
  EXPECT_THAT(read_text(host_->path("got")), HasSubstr("tick"));
}

TEST_F(HealthRoles, OneThatIsNotReadyKeepsNoIdleHostAlive) {
  make(R"({ "id": "sink", "command": ["${WORKERS}/quiet.py"], "channel": { "kind": "stdio" },
            "subscribe": [{ "topic": "tick" }], "ready": { "on": "event" }, "health": [)" +
           check_of("never", "readiness") + "] }",
       {{"--until-idle"}, {}, {}});
  host_->launch();
  EXPECT_EQ(host_->wait_for_end(), 0) << host_->log();
}

}  // namespace
}  // namespace tenon::test_support
