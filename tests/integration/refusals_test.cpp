// What nobody takes: what the sender is told, and what the metrics say of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

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
