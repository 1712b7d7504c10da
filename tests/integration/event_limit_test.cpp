// limits.events: a flood is held within it, and everything else goes on.
#include <gtest/gtest.h>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

constexpr std::int64_t kLimit = 8 << 20;  // of all mailboxes together
// On top of it comes what the one waiting sender has parked: 4 x max_event, and the event that crossed that line.
constexpr std::int64_t kParked = 4 * (64 << 10) + 4096;

// `load` never ends, and `sink` is paused, so that all of it has to wait somewhere.
constexpr const char* kConfig = R"({ "limits": { "events": "8MiB" }, "supervision": { "children": [
    { "id": "good", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask" }], "ready": { "on": "event" } },
    { "id": "sink", "command": ["${WORKERS}/quiet.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "load" }], "ready": { "on": "event" },
      "mailbox": { "capacity": 10000000, "bytes": "1GiB" } },
    { "id": "load", "command": ["${WORKERS}/ticker.py", "load", "0"],
      "channel": { "kind": "stdio", "max_event": "64KiB" },
      "depends_on": ["sink"], "ready": { "on": "event" } } ] } })";

std::int64_t event_bytes(const HostProcess& host) {
  const auto info = host.json({"info"});
  return info ? info->root().find("event_bytes")->as_i64().value_or(-1) : -1;
}

std::int64_t resident_kilobytes(pid_t pid) {
  const std::string status = read_text("/proc/" + std::to_string(pid) + "/status");
  const std::size_t at = status.find("VmRSS:");
  return at == std::string::npos ? 0 : std::stoll(status.substr(at + 6));
}

TEST(EventLimit, HoldsUnderAFloodAndOthersGoOn) {
  HostProcess host(kConfig);
  ASSERT_TRUE(host.start()) << host.log();
  BackgroundProgram tail({tenon_binary(), "tail", "system.alert", "-n", "2", "--json"},
                         {"TENON_SOCKET=" + host.socket()}, host.path("alerts"));
  ASSERT_EQ(host.cli({"pause", "sink"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return event_bytes(host) > kLimit - 4096; })) << host.log();
  for (int look = 0; look < 50; ++look) {
    EXPECT_LE(event_bytes(host), kLimit + kParked);
    EXPECT_TRUE(host.json({"ps"}));
  }
  EXPECT_LT(resident_kilobytes(host.engine_pid()), 256 * 1024);
  ASSERT_EQ(host.cli({"resume", "sink"}).exit_code, 0);
  // While the memory is full a publisher is told to come back later, and so it does.
  EXPECT_TRUE(wait_until([&] { return host.cli({"request", "ask", "--data", "1"}).exit_code == 0; })) << host.log();
  // A person is told when it begins and when it is over.
  EXPECT_TRUE(wait_until([&] { return !tail.is_running(); })) << read_text(host.path("alerts"));
  const std::string alerts = read_text(host.path("alerts"));
  EXPECT_NE(alerts.find("\"active\":true"), std::string::npos) << alerts;
  EXPECT_NE(alerts.find("\"active\":false"), std::string::npos) << alerts;
  EXPECT_EQ(host.engine_restarts(), 0);
  EXPECT_EQ(host.stop(), 0) << host.log();
}

}  // namespace
}  // namespace tenon::test_support
