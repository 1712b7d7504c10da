// What nobody takes: what the sender is told, and what the metrics say of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Paused, each keeps one event.
std::string full_host(const std::string& overflow) {
  return R"({ "supervision": { "children": [ { "id": "slow", "command": ["${WORKERS}/quiet.py"],
      "channel": { "kind": "stdio" }, "subscribe": [{ "topic": "work" }], "ready": { "on": "event" },
      "mailbox": { "capacity": 1, "overflow": ")" + overflow + R"(" } } ] } })";
}

void fill(HostProcess& host) {
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_EQ(host.cli({"pause", "slow"}).exit_code, 0);
  ASSERT_EQ(host.cli({"send", "work", "--data", "1"}).exit_code, 0);
}

TEST(Refusals, AnEventThatEveryMailboxDeadLettersIsNotReportedAsSent) {
  HostProcess host(full_host("dead_letter"));
  ASSERT_NO_FATAL_FAILURE(fill(host));
  const ProgramResult sent = host.cli({"send", "work", "--data", "2"});
  EXPECT_EQ(sent.exit_code, 1);
  EXPECT_THAT(sent.err, HasSubstr("no receiver took the event, slow: "));
  const ProgramResult asked = host.cli({"request", "work", "--data", "3", "--timeout", "20s"});
  EXPECT_EQ(asked.exit_code, 1);
  EXPECT_THAT(asked.err, HasSubstr("no receiver took the event, slow: "));
}

TEST(Refusals, AreCountedAlikeByVerdictAndByReason) {
  HostProcess host(full_host("reject"));
  ASSERT_NO_FATAL_FAILURE(fill(host));
  EXPECT_EQ(host.cli({"send", "work", "--data", "2"}).exit_code, 1);
  EXPECT_EQ(host.cli({"send", "elsewhere", "--data", "3"}).exit_code, 1);
  const std::string metrics = host.http_answer("/metrics");
  EXPECT_THAT(metrics, HasSubstr("tenon_dead_letters_total{reason=\"rejected\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("tenon_dead_letters_total{reason=\"no_receiver\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("tenon_events_total{verdict=\"rejected\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("tenon_events_total{verdict=\"dead_lettered\"} 2\n"));
  EXPECT_THAT(metrics, HasSubstr("tenon_mailbox_dropped_total{process=\"slow\",verdict=\"rejected\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("tenon_mailbox_dropped_total{process=\"slow\",verdict=\"dead_lettered\"} 0\n"));
}

std::string receiving_host(const std::string& command, const std::string& max_event = "1MiB") {
  return R"({ "supervision": { "children": [ { "id": "taker", "command": )" + command + R"(,
      "channel": { "kind": "stdio", "max_event": ")" + max_event + R"(" }, "subscribe": [{ "topic": "work" }],
      "ready": { "on": "event" } } ] } })";
}

TEST(Refusals, AnEventThatIsTooLargeForItsReceiverIsNotReportedAsSent) {
  HostProcess host(receiving_host(R"(["${WORKERS}/quiet.py"])", "4KiB"));
  ASSERT_TRUE(host.start()) << host.log();
  const std::string large = "\"" + std::string(8192, 'x') + "\"";
  const std::string answer = host.http_post("/v1/events", R"({"type":"work","data":)" + large + "}");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 413"));
  EXPECT_THAT(answer, Not(HasSubstr("Retry-After")));
  for (const char* verb : {"send", "request"}) {
    const ProgramResult sent = host.cli({verb, "work", "--data", large});
    EXPECT_EQ(sent.exit_code, 1);
    EXPECT_THAT(sent.err, HasSubstr("taker: the event exceeds the channel's max_event of 4096 octets; raise it"));
  }
  EXPECT_EQ(host.cli({"send", "work", "--data", "1"}).exit_code, 0);
}

TEST(Refusals, AnEventForAProcessThatReadsNoMoreIsNotReportedAsSent) {
  HostProcess host(receiving_host(R"(["bash", "-c", "exec <&-; echo '{\"type\":\"tenon.ready\"}'; exec sleep 1000"])"));
  ASSERT_TRUE(host.start()) << host.log();
  // The first may be on its way when the host learns that nobody reads it.
  ProgramResult sent;
  EXPECT_TRUE(wait_until([&] { return (sent = host.cli({"send", "work", "--data", "1"})).exit_code == 1; }));
  EXPECT_THAT(sent.err, HasSubstr("taker: the receiver closed its standard input"));
  const std::string answer = host.http_post("/v1/events", R"({"type":"work"})");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 409"));
  EXPECT_THAT(answer, Not(HasSubstr("Retry-After")));
}

TEST(Refusals, AnUnknownTargetIsNotFound) {
  HostProcess host(receiving_host(R"(["${WORKERS}/quiet.py"])"));
  ASSERT_TRUE(host.start()) << host.log();
  for (const char* path : {"/v1/events", "/v1/request"}) {
    const std::string answer = host.http_post(path, R"({"type":"work","target":"nobody"})");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 404")) << path;
    EXPECT_THAT(answer, HasSubstr("there is no process nobody; `tenon ps` lists them")) << path;
  }
}

TEST(Refusals, TheLimitOfAllEventsIsNamed) {
  HostProcess host(R"({ "limits": { "events": "1MiB" }, "supervision": { "children": [
      { "id": "slow", "command": ["${WORKERS}/quiet.py"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "work" }], "ready": { "on": "event" } } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  ASSERT_EQ(host.cli({"pause", "slow"}).exit_code, 0);
  const std::string event = R"({"type":"work","data":")" + std::string(300'000, 'x') + R"("})";
  std::string answer;
  for (int i = 0; i < 10 && answer.find("HTTP/1.1 503") == std::string::npos; ++i)
    answer = host.http_post("/v1/events", event);
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("limits.events is reached"));
  // There may be room for smaller ones yet.
  const std::string data = "\"" + std::string(100'000, 'x') + "\"";
  ProgramResult sent;
  for (int i = 0; i < 10 && sent.exit_code != 1; ++i) sent = host.cli({"send", "work", "--data", data});
  EXPECT_EQ(sent.exit_code, 1);
  EXPECT_THAT(sent.err, HasSubstr("raise limits.events"));
}

TEST(Refusals, ARequestBeyondAllThatMayWaitIsToldToComeBack) {
  HostProcess host(R"({ "supervision": { "children": [
      { "id": "greedy", "command": ["${WORKERS}/requests.py"], "channel": { "kind": "stdio" },
        "ready": { "on": "event", "timeout": "60s" } },
      { "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "ask" }], "ready": { "on": "event" } } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string answer = host.http_post("/v1/request", R"({"type":"ask"})");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("Retry-After"));
  EXPECT_THAT(answer, HasSubstr("as many requests wait for answers as may"));
  const ProgramResult asked = host.cli({"request", "ask", "--data", "1"});
  EXPECT_EQ(asked.exit_code, 1);
  EXPECT_THAT(asked.err, HasSubstr("try again later"));
  EXPECT_EQ(host.cli({"send", "ask", "--data", "1"}).exit_code, 0) << "which is no request";
  ASSERT_EQ(host.cli({"stop", "greedy"}).exit_code, 0);
}

constexpr const char* kSilent = R"({ "id": "silent", "command": ["${WORKERS}/quiet.py"],
    "channel": { "kind": "stdio" }, "subscribe": [{ "topic": "unanswered" }], "ready": { "on": "event" } })";

TEST(Refusals, ARequestWhoseIdWaitsForItsAnswerIsAConflict) {
  HostProcess host(R"({ "supervision": { "children": [)" + std::string(kSilent) + "] } }");
  ASSERT_TRUE(host.start()) << host.log();
  const std::string request = R"({"type":"unanswered","id":"1","replyto":"somewhere"})";
  const auto ask = [&] { return host.http_post("/v1/request?timeout=5m", request); };
  // Whichever comes second.
  std::future<std::string> both[] = {std::async(std::launch::async, ask), std::async(std::launch::async, ask)};
  std::string answer;
  EXPECT_TRUE(wait_until([&] {
    for (auto& one : both)
      if (answer.empty() && one.wait_for(std::chrono::seconds(0)) == std::future_status::ready) answer = one.get();
    return !answer.empty();
  })) << host.log();
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 409"));
  EXPECT_THAT(answer, HasSubstr("give each an id of its own"));
  EXPECT_EQ(host.stop(), 0) << host.log();  // ends the other
}

}  // namespace
}  // namespace tenon::test_support
