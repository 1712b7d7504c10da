// Workers that send what no worker should: a dead letter or a line of log, and nobody else notices.
#include <gtest/gtest.h>

#include <sstream>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

struct Case {
  const char* what;
  const char* reason;  // of the dead letter; empty: the lines are log and nothing more
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.what; }

class BadWorker : public ::testing::TestWithParam<Case> {};

std::string config_for(const char* what) {
  return std::string(R"({ "limits": { "events": "16MiB" }, "supervision": { "children": [
    { "id": "recorder", "command": ["${WORKERS}/recorder.py", "${TEST}/letters"],
      "channel": { "kind": "stdio", "max_event": "32MiB" },
      "subscribe": [{ "topic": "system.dead_letter" }, { "topic": "system.process.exited" }],
      "ready": { "on": "event" } },
    { "id": "good", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask.good" }], "ready": { "on": "event" } },
    { "id": "bad", "depends_on": ["recorder", "good"], "command": ["${WORKERS}/misbehave.py", ")") +
         what + R"("],
      "channel": { "kind": "stdio", "max_event": "1MiB" },
      "subscribe": [{ "topic": "ask.bad" }], "ready": { "on": "event" } }
  ] } })";
}

// The reasons of all dead letters, oldest first.
std::string letters(const HostProcess& host) {
  std::string reasons;
  const auto list = host.json({"deadletters", "list"});
  if (!list) return "no list";
  for (const JsonValue letter : list->root().elements())
    reasons += std::string(letter.find("reason")->as_string().value_or("")) + " ";
  return reasons;
}

// How many events of a type came to the recorder, which nothing but the host's own can.
std::size_t recorded(const HostProcess& host, std::string_view type) {
  std::size_t count = 0;
  std::istringstream lines(read_text(host.path("letters")));
  for (std::string line; std::getline(lines, line);) {
    const auto event = JsonDocument::parse(line, "recorded");
    if (event.ok() && event->root().find("type")->as_string() == type) ++count;
  }
  return count;
}

TEST_P(BadWorker, IsDeadLetteredOrLoggedAndNobodyElseNotices) {
  HostProcess host(config_for(GetParam().what));
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t bad = host.worker_pid("bad"), good = host.worker_pid("good"), engine = host.engine_pid();
  // An answer comes after all that the worker has sent before it.
  EXPECT_EQ(host.cli({"request", "ask.bad", "--data", "1"}).exit_code, 0) << host.log();
  EXPECT_EQ(host.cli({"request", "ask.good", "--data", "1"}).exit_code, 0) << host.log();
  EXPECT_EQ(host.worker_pid("bad"), bad);
  EXPECT_EQ(host.worker_pid("good"), good);
  EXPECT_EQ(host.engine_pid(), engine);
  const std::string expected = GetParam().reason;
  if (expected.empty()) {
    EXPECT_NE(host.cli({"logs", "bad"}).out, "");
    EXPECT_EQ(letters(host), "");
  } else {
    EXPECT_EQ(letters(host), expected + " ");
    EXPECT_TRUE(wait_until([&] { return recorded(host, "system.dead_letter") == 1; }));
  }
  EXPECT_EQ(recorded(host, "system.process.exited"), 0u) << "somebody believed the forgery";
  EXPECT_EQ(host.stop(), 0) << host.log();
}

INSTANTIATE_TEST_SUITE_P(EachWay, BadWorker,
                         ::testing::Values(Case{"garbage", ""}, Case{"no_object", ""}, Case{"huge_line", ""},
                                           Case{"huge_event", "too_large"}, Case{"invalid_utf8", "malformed"},
                                           Case{"broken_data", "malformed"}, Case{"deep", "malformed"},
                                           Case{"duplicate_keys", "malformed"},
                                           Case{"illegal_topic", "bad_topic"}, Case{"wildcard_topic", "bad_topic"},
                                           Case{"forged_system", "reserved"}, Case{"forged_topic", "reserved"}),
                         [](const auto& one) { return std::string(one.param.what); });

TEST(BadWorkerChannel, AHalfLineAtTheEndOfTheStreamHarmsNobody) {
  HostProcess host(config_for("half_line"));
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t bad = host.worker_pid("bad");
  EXPECT_EQ(host.cli({"request", "ask.good", "--data", "1"}).exit_code, 0);
  EXPECT_EQ(host.worker_pid("bad"), bad);  // a closed stdout ends the source and restarts nothing
  EXPECT_EQ(host.engine_restarts(), 0);
}

std::string framed(const char* what) {
  return std::string(R"({ "limits": { "events": "16MiB" }, "supervision": {
    "intensity": { "restarts": 3, "period": "60s" },
    "children": [
    { "id": "good", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask.good" }], "ready": { "on": "event" } },
    { "id": "bad", "depends_on": ["good"], "command": ["${WORKERS}/bad_frames.py", ")") +
         what + R"("],
      "channel": { "kind": "socket" }, "ready": { "on": "event" },
      "restart": { "config": { "initial": "1ms", "max": "1ms" } } } ] } })";
}

TEST(BadWorkerChannel, HalfAFrameIsGivenUpWithItsWorker) {
  HostProcess host(framed("half_frame"));
  host.launch();
  ASSERT_TRUE(wait_until([&] { return host.worker_status("bad") == "error"; })) << host.log();
  EXPECT_EQ(host.cli({"request", "ask.good", "--data", "1"}).exit_code, 0);
  EXPECT_EQ(host.engine_restarts(), 0);
}

TEST(BadWorkerChannel, WholeFramesThatAreNoEventsAreDeadLetteredEach) {
  HostProcess host(framed("no_events"));
  ASSERT_TRUE(host.start()) << host.log();
  const pid_t bad = host.worker_pid("bad");
  ASSERT_TRUE(wait_until([&] { return letters(host) == "malformed malformed malformed malformed "; })) << letters(host);
  EXPECT_EQ(host.cli({"request", "ask.good", "--data", "1"}).exit_code, 0);
  EXPECT_EQ(host.worker_pid("bad"), bad);
}

TEST(BadWorkerChannel, ALengthOfFourGibibytesEndsThatWorkerOnly) {
  HostProcess host(framed("four_gib"));
  host.launch();
  ASSERT_TRUE(wait_until([&] { return host.worker_status("bad") == "error"; })) << host.log();
  EXPECT_NE(host.cli({"status", "bad"}).out.find("a frame length of 4294967295 octets"), std::string::npos)
      << host.cli({"status", "bad"}).out;
  EXPECT_EQ(host.cli({"request", "ask.good", "--data", "1"}).exit_code, 0);
  EXPECT_EQ(host.engine_restarts(), 0);
}

}  // namespace
}  // namespace tenon::test_support
