// What becomes of events whose receiver does not simply take them: it is stopped, refuses, never answers, or the host
// ends before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/rfc3339.hpp"
#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

// Holds one event at a time.
constexpr const char* kHolder = R"({ "supervision": { "children": [
    { "id": "holder", "command": ["${WORKERS}/holder.py", "${TEST}/held"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "work" }], "ready": { "on": "event" },
      "delivery": { "mode": "at_least_once", "max_in_flight": 1, "attempts": 3 } } ] } })";

class Holder : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(host_.start()) << host_.log(); }
  void send(const std::string& json) {
    const ProgramResult sent = host_.cli({"send", "work", "--data", json});
    ASSERT_EQ(sent.exit_code, 0) << sent.err;
  }
  std::string held() const { return read_text(host_.path("held")); }

  HostProcess host_{kHolder};
};

TEST_F(Holder, FindsWhatItDidNotSettleWhenItIsStartedAgain) {
  for (const char* data : {"1", "2", "3"}) send(data);
  ASSERT_TRUE(wait_until([&] { return held() == "1\n"; })) << held();
  ASSERT_EQ(host_.cli({"stop", "holder"}).exit_code, 0);
  EXPECT_EQ(host_.worker_status("holder"), "terminated");
  EXPECT_THAT(host_.cli({"deadletters", "list"}).out, HasSubstr("no dead letters"));
  ASSERT_EQ(host_.cli({"start", "holder"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return held() == "1\n1 again\n"; })) << held();
  EXPECT_EQ(host_.stop(), 0);
  EXPECT_THAT(host_.log(), HasSubstr("events that were not delivered"));
  EXPECT_THAT(host_.log(), HasSubstr("holder (3)"));
}

TEST_F(Holder, LeavesAHistoryInTheDeadLetter) {
  send("\"refuse\"");
  const auto given_up = [&] {
    return host_.cli({"deadletters", "list"}).out.find("attempts_exhausted") != std::string::npos;
  };
  ASSERT_TRUE(wait_until(given_up));
  EXPECT_EQ(held(), "refuse\nrefuse again\nrefuse again\n");
  const auto letters = host_.json({"deadletters", "list"});
  ASSERT_TRUE(letters);
  const JsonValue history = *letters->root().at(0).find("history");
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history.at(0).find("receiver")->as_string(), "holder");
  EXPECT_EQ(history.at(0).find("ended_by")->as_string(), "nack");
  EXPECT_EQ(host_.stop(), 0);
}

TEST(Request, EndsWithATimeoutAlsoWhenNobodyGotIt) {
  const std::string soon = format_rfc3339(SystemClock().wall() + std::chrono::seconds(5)).str();
  HostProcess host(R"({ "supervision": { "children": [
    { "id": "asker", "command": ["${WORKERS}/asker.py", "${TEST}/got", "nobody.listens", ")" + soon + R"("],
      "channel": { "kind": "stdio" }, "ready": { "on": "event" } } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_TRUE(wait_until([&] { return read_text(host.path("got")) == "tenon.timeout mine\n"; })) << host.log();
  EXPECT_THAT(host.cli({"deadletters", "list"}).out, HasSubstr("no_receiver"));
  EXPECT_EQ(host.stop(), 0);
}

}  // namespace
}  // namespace tenon::test_support
