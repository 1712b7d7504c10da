// The engine is killed at random instants while frames of 1 MiB cross in both directions. A worker may be restarted and
// whole events may be lost; no side ever sees a part of one.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "support/host_process.hpp"
#include "support/long_runs.hpp"

namespace tenon::test_support {
namespace {

constexpr const char* kConfig = R"({
  "engine": { "hang_timeout": "1s" },
  "supervision": {
    "intensity": { "restarts": 1000, "period": "10s" },
    "children": [
    { "id": "a", "command": ["${WORKERS}/frames.py", "a", "b", "${TEST}"],
      "channel": { "kind": "socket", "max_event": "2MiB" }, "mailbox": { "capacity": 8, "overflow": "block" },
      "subscribe": [{ "topic": "bulk.b" }], "ready": { "on": "event" },
      "restart": { "policy": "always", "config": { "initial": "10ms", "max": "50ms" } } },
    { "id": "b", "command": ["${WORKERS}/frames.py", "b", "a", "${TEST}"],
      "channel": { "kind": "socket", "max_event": "2MiB" }, "mailbox": { "capacity": 8, "overflow": "block" },
      "subscribe": [{ "topic": "bulk.a" }], "ready": { "on": "event" },
      "restart": { "policy": "always", "config": { "initial": "10ms", "max": "50ms" } } },
    { "id": "recorder", "command": ["${WORKERS}/recorder.py", "${TEST}/letters"],
      "channel": { "kind": "stdio", "max_event": "8MiB" },
      "subscribe": [{ "topic": "system.dead_letter" }], "ready": { "on": "event" } }
  ] } })";

class TornFrames : public ::testing::Test {
 protected:
  TornFrames() : host_(kConfig) {}

  std::size_t good(const std::string& side) const {
    const std::string text = read_text(host_.path("good." + side));
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  bool both_get_on() {
    const std::size_t a = good("a"), b = good("b");
    return wait_until([&] { return good("a") > a + 1 && good("b") > b + 1; });
  }
  void expect_nothing_torn() {
    EXPECT_EQ(read_text(host_.path("torn.a")), "");
    EXPECT_EQ(read_text(host_.path("torn.b")), "");
    EXPECT_EQ(read_text(host_.path("letters")).find("\"malformed\""), std::string::npos);
  }

  HostProcess host_;
};

int rounds() { return test_support::rounds(10, 200); }

TEST_F(TornFrames, NeverWhenTheEngineIsKilledAtRandomInstants) {
  ASSERT_TRUE(host_.start()) << host_.log();
  std::mt19937 random(20240607);
  for (int round = 1; round <= rounds(); ++round) {
    ASSERT_TRUE(both_get_on()) << "round " << round << "\n" << host_.log();
    // A part of the time that a few frames take, so that each round meets another moment.
    ::poll(nullptr, 0, static_cast<int>(random() % 25));
    const pid_t engine = host_.engine_pid();
    ASSERT_GT(engine, 0);
    ::kill(engine, SIGKILL);
    ASSERT_TRUE(host_.wait_for_engine_restart(round)) << host_.log();
    expect_nothing_torn();
    ASSERT_FALSE(HasFailure()) << "round " << round << "\n" << host_.log();
  }
  EXPECT_TRUE(both_get_on());
}

TEST_F(TornFrames, NeverWhenTheEngineHangs) {
  ASSERT_TRUE(host_.start()) << host_.log();
  for (int round = 1; round <= std::max(2, rounds() / 20); ++round) {
    ASSERT_TRUE(both_get_on()) << host_.log();
    ::kill(host_.engine_pid(), SIGSTOP);
    ASSERT_TRUE(host_.wait_for_engine_restart(round)) << host_.log();
    expect_nothing_torn();
  }
  EXPECT_TRUE(both_get_on());
}

}  // namespace
}  // namespace tenon::test_support
