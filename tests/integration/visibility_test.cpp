// What an operator sees of a process that does not get on: that it waits for another, or has closed an end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

// A member of a member of `status ID --json`; null if there is none.
std::string member(const HostProcess& host, const std::string& id, std::string_view outer, std::string_view inner) {
  const auto status = host.json({"status", id});
  const auto object = status ? status->root().find(outer) : std::nullopt;
  const auto value = object && object->is_object() ? object->find(inner) : std::nullopt;
  return value ? value->to_json() : "null";
}

TEST(Visibility, ASenderThatWaitsIsShownWithItsReceiver) {
  HostProcess host(R"({ "limits": { "block_for": "10m" }, "supervision": { "children": [
      { "id": "sink", "command": ["${WORKERS}/quiet.py"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "load" }], "ready": { "on": "event" },
        "mailbox": { "capacity": 1, "overflow": "block" } },
      { "id": "load", "command": ["${WORKERS}/ticker.py", "load", "0"],
        "channel": { "kind": "stdio", "max_event": "64KiB" }, "depends_on": ["sink"],
        "ready": { "on": "event" } } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(member(host, "sink", "parked", "waits_for"), "null");
  ASSERT_EQ(host.cli({"pause", "sink"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return member(host, "load", "parked", "waits_for") == "\"sink\""; })) << host.log();
  EXPECT_EQ(member(host, "load", "parked", "limit"), "\"mailbox\"");
  EXPECT_THAT(host.cli({"ps"}).out, HasSubstr("waits for room at sink"));
  const std::string status = host.cli({"status", "load"}).out;
  EXPECT_THAT(status, ContainsRegex("parked *\n *waits for +sink\n"));
  ASSERT_EQ(host.cli({"stop", "load"}).exit_code, 0);
  ASSERT_EQ(host.cli({"resume", "sink"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return member(host, "load", "parked", "waits_for") == "null"; })) << host.log();
}

TEST(Visibility, WhichEndOfItsChannelAProcessHasClosedIsShown) {
  HostProcess host(R"({ "supervision": { "children": [
      { "id": "both", "command": ["${WORKERS}/quiet.py"], "channel": { "kind": "stdio" }, "ready": { "on": "event" } },
      { "id": "deaf", "command": ["bash", "-c", "exec <&-; exec sleep 1000"], "channel": { "kind": "stdio" } },
      { "id": "mute", "command": ["bash", "-c", "exec >&-; exec sleep 1000"], "channel": { "kind": "stdio" } },
      { "id": "none", "command": ["sleep", "1000"] } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(member(host, "both", "channel", "kind"), "\"stdio\"");
  EXPECT_EQ(member(host, "both", "channel", "input_closed"), "false");
  EXPECT_EQ(member(host, "both", "channel", "output_closed"), "false");
  EXPECT_TRUE(wait_until([&] { return member(host, "deaf", "channel", "input_closed") == "true"; }));
  EXPECT_EQ(member(host, "deaf", "channel", "output_closed"), "false");
  EXPECT_TRUE(wait_until([&] { return member(host, "mute", "channel", "output_closed") == "true"; }));
  EXPECT_EQ(member(host, "mute", "channel", "input_closed"), "false");
  EXPECT_EQ(member(host, "none", "channel", "kind"), "\"none\"");
  EXPECT_EQ(member(host, "none", "channel", "input_closed"), "null");
  EXPECT_THAT(host.cli({"status", "deaf"}).out, ContainsRegex("input closed +yes\n"));
}

}  // namespace
}  // namespace tenon::test_support
