// Health checks of real processes: what one check does to the others, and as whom they run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include "support/host_process.hpp"
#include "support/scripted_server.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

// The states of the check's last results, "healthy timeout …", oldest first; and the reason of the newest.
struct Results {
  std::size_t count = 0, healthy = 0, timeouts = 0;
  std::string reason;
};
Results results_of(const HostProcess& host, std::string_view process) {
  Results results;
  const auto document = host.json({"health"});
  if (!document) return results;
  for (const JsonValue check : document->root().elements()) {
    if (check.find("process")->as_string() != process) continue;
    for (const JsonValue result : check.find("results")->elements()) {
      ++results.count;
      results.healthy += result.find("state")->as_string() == "healthy" ? 1 : 0;
      results.timeouts += result.find("state")->as_string() == "timeout" ? 1 : 0;
      results.reason = result.find("reason")->as_string().value_or("");
    }
  }
  return results;
}

TEST(Health, ManySlowTargetsMakeNobodyElseUnhealthy) {
  ScriptedServer silent([](Connection& connection) { connection.wait_for_close(); });  // one at a time, the rest wait
  ScriptedServer quick([](Connection&) {});
  std::string children;
  for (int i = 0; i < 6; ++i) {
    children += R"({ "id": "slow)" + std::to_string(i) + R"(", "command": ["sleep", "1000"], "health": [{
      "check": "http", "interval": "10ms", "timeout": "1s", "on_unhealthy": "report",
      "config": { "url": "http://127.0.0.1:)" + std::to_string(silent.port()) + R"(/" } }] },)";
  }
  HostProcess host(R"({ "supervision": { "children": [ )" + children + R"(
    { "id": "well", "command": ["sleep", "1000"], "health": [{
      "check": "tcp", "interval": "10ms", "timeout": "500ms", "unhealthy_after": 1,
      "config": { "host": "localhost", "port": )" + std::to_string(quick.port()) + R"( } }] } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_TRUE(wait_until([&] {
    return results_of(host, "slow0").timeouts + results_of(host, "slow5").timeouts >= 4 &&
           results_of(host, "well").count >= 20;
  }));
  const Results well = results_of(host, "well");
  EXPECT_EQ(well.healthy, well.count) << well.reason;
  EXPECT_EQ(host.json({"status", "well"})->root().find("restarts")->as_i64(), 0);
}

TEST(Health, NoCheckWaitsForOthersHoweverManyHang) {
  ScriptedServer silent([](Connection& connection) { connection.wait_for_close(); });
  ScriptedServer quick(ScriptedServer::answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  const auto child = [](const std::string& id, std::uint16_t port) {
    return R"({ "id": ")" + id + R"(", "command": ["sleep", "1000"], "health": [{ "check": "http", "interval": "10ms",
      "timeout": "1h", "config": { "url": "http://127.0.0.1:)" + std::to_string(port) + R"(/" } }] })";
  };
  std::string children = child("well", quick.port());
  for (int i = 0; i < 40; ++i) children += "," + child("hangs" + std::to_string(i), silent.port());
  HostProcess host(R"({ "supervision": { "children": [ )" + children + " ] } }");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_TRUE(wait_until([&] { return results_of(host, "well").healthy >= 20; })) << results_of(host, "well").reason;
  EXPECT_EQ(results_of(host, "hangs0").count + results_of(host, "hangs39").count, 0u);
}

TEST(Health, AnExecCheckRunsAsItsProcess) {
  const passwd* const nobody = ::getpwnam("nobody");
  if (::geteuid() != 0 || nobody == nullptr) GTEST_SKIP() << "only root may run a process as somebody else";
  HostProcess host(R"({ "supervision": { "children": [
    { "id": "w", "command": ["sleep", "1000"], "user": "nobody", "cwd": "/", "env": { "OF_THE_PROCESS": "yes" },
      "health": [{ "check": "exec", "interval": "10ms", "on_unhealthy": "report",
                   "config": { "command": ["sh", "-c", "echo uid $(id -u) in $PWD, $OF_THE_PROCESS; exit 1"] } }] }
    ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_TRUE(wait_until([&] { return results_of(host, "w").count > 0; }));
  EXPECT_THAT(results_of(host, "w").reason, HasSubstr("uid " + std::to_string(nobody->pw_uid) + " in /, yes"));
}

TEST(Health, ThresholdsLookAtWhatAProcessAndItsDescendantsUse) {
  HostProcess host(R"({ "supervision": { "children": [
    { "id": "w", "command": ["sh", "-c", "sleep 1000 & wait"], "health": [
      { "check": "memory", "interval": "10ms", "on_unhealthy": "report", "config": { "unhealthy_above": "1KiB" } } ] },
    { "id": "busy", "command": ["sh", "-c", "while :; do :; done"], "health": [
      { "check": "cpu", "interval": "500ms", "on_unhealthy": "report", "config": { "degraded_above": 0.01 } } ] },
    { "id": "idle", "command": ["sleep", "1000"], "health": [
      { "check": "cpu", "interval": "500ms", "config": { "unhealthy_above": 0.5 } },
      { "check": "memory", "interval": "500ms", "config": { "unhealthy_above": "1GiB" } } ] }
    ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  const auto reason = [&host](const char* process) { return results_of(host, process).reason; };
  EXPECT_TRUE(wait_until([&] { return reason("w").ends_with(" in 2 processes; unhealthy_above is 1 KiB"); }))
      << reason("w");
  // Where a person looks first, too.
  EXPECT_TRUE(wait_until([&] { return host.cli({"ps"}).out.find("unhealthy_above is 1 KiB\n") != std::string::npos; }))
      << host.cli({"ps"}).out;
  EXPECT_THAT(host.cli({"tree"}).out, HasSubstr("unhealthy_above is 1 KiB\n"));
  EXPECT_TRUE(wait_until([&] { return reason("busy").ends_with("; degraded_above is 0.01"); })) << reason("busy");
  EXPECT_TRUE(wait_until([&] { return results_of(host, "idle").count >= 4; }));
  const Results idle = results_of(host, "idle");
  EXPECT_EQ(idle.healthy, idle.count) << idle.reason;
}

TEST(Health, ARoundTripOfATransportSaysWhatIsWrong) {
  HostProcess host(R"({ "transports": {
      "near": { "plugin": "local", "url": "unix://${TEST}/meeting" },
      "gone": { "plugin": "nats", "url": "nats://127.0.0.1:1" } },
    "supervision": { "children": [
    { "id": "near", "command": ["sleep", "1000"], "health": [
      { "check": "nats", "interval": "100ms", "on_unhealthy": "report", "config": { "transport": "near" } } ] },
    { "id": "gone", "command": ["sleep", "1000"], "health": [
      { "check": "nats", "interval": "100ms", "on_unhealthy": "report", "config": { "transport": "gone" } } ] },
    { "id": "unknown", "command": ["sleep", "1000"], "health": [
      { "check": "nats", "interval": "100ms", "on_unhealthy": "report", "config": { "transport": "bus" } } ] }
    ] } })");
  host.launch();
  EXPECT_TRUE(wait_until([&] { return results_of(host, "near").healthy > 0; })) << host.log();
  const auto says = [&host](const char* process, const char* text) {
    return wait_until([&] { return results_of(host, process).reason == text; });
  };
  EXPECT_TRUE(says("gone", "transport gone is not connected; `tenon transports` says why"));
  EXPECT_TRUE(says("unknown", "no transport is named bus; `tenon transports` lists them"));
}

}  // namespace
}  // namespace tenon::test_support
