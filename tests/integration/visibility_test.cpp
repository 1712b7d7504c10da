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

// What waits for a group waits for each of its members.
TEST(Visibility, WhatWaitsForAGroupIsShownWithItsMembers) {
  HostProcess host(R"({ "supervision": { "children": [
      { "id": "worker", "replicas": 2, "command": ["${WORKERS}/holder.py", "${TEST}/taken"],
        "channel": { "kind": "stdio" }, "subscribe": [{ "topic": "task", "group": "crew" }],
        "mailbox": { "capacity": 3 }, "delivery": { "mode": "at_least_once", "max_in_flight": 1, "ack_timeout": "10m" },
        "ready": { "on": "event" } } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  for (int i = 0; i < 7; ++i) host.cli({"send", "task", "--data", std::to_string(i)});
  for (const char* id : {"worker.1", "worker.2"}) {
    EXPECT_EQ(member(host, id, "mailbox", "depth"), "3");
    EXPECT_EQ(member(host, id, "mailbox", "dropped"), "2");
    EXPECT_EQ(member(host, id, "mailbox", "groups"), R"({"crew":3})");
  }
  EXPECT_THAT(host.http_answer("/metrics"), HasSubstr("tenon_group_depth{group=\"crew\"} 3\n"));
  EXPECT_THAT(host.http_answer("/metrics"), HasSubstr("tenon_group_dropped_total{group=\"crew\"} 2\n"));
}

TEST(Visibility, ATargetWithoutAChannelIsRefusedAtOnce) {
  HostProcess host(R"({ "supervision": { "children": [ { "id": "none", "command": ["sleep", "1000"] } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string answer = host.http_post("/v1/events", R"({"type":"task","target":"none"})");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 404"));
  EXPECT_THAT(answer, HasSubstr("channel.kind"));
}

// Which process ended, and how: what a watcher acts upon.
TEST(Visibility, TheEventOfAnExitSaysWhichPidEndedAndHow) {
  HostProcess host(R"({ "supervision": { "children": [
      { "id": "recorder", "command": ["${WORKERS}/recorder.py", "${TEST}/exits"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "system.process.exited" }], "ready": { "on": "event" } },
      { "id": "one", "command": ["sleep", "1000"], "restart": { "policy": "never" } } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string pid = std::to_string(host.worker_pid("one"));
  ASSERT_EQ(host.cli({"kill", "one", "--signal", "KILL"}).exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return !read_text(host.path("exits")).empty(); })) << host.log();
  const auto event = JsonDocument::parse(read_text(host.path("exits")), "exit");
  ASSERT_TRUE(event.ok());
  const auto data = event->root().find("data");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->find("pid")->to_json(), pid);
  EXPECT_EQ(data->find("code")->to_json(), "null");
  EXPECT_EQ(data->find("signal")->to_json(), "9");
}

}  // namespace
}  // namespace tenon::test_support
