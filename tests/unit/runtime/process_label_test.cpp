#include "runtime/process_label.hpp"

#include <gtest/gtest.h>

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;

ProcessLabel full_label() {
  ProcessLabel label;
  label.id = "counter.1";
  label.generation = 42;
  label.desired = Desired::paused;
  label.phase = ProcessPhase::signalled;
  label.after_stop = AfterStop::decide;
  label.held = true;
  label.signal_unsent = true;
  label.started_up = true;
  label.not_ready = "not ready: http: status 503";
  label.end_cause = 3;
  label.reason = "unhealthy: no heartbeat for 3 s";
  label.spawned = MonotonicTime(100s);
  label.ready = MonotonicTime(101s);
  label.due = MonotonicTime(105s);
  label.time_left = 7ms;
  label.window = {MonotonicTime(90s), MonotonicTime(99s)};
  label.consecutive = 2;
  label.total_restarts = 9;
  label.previous_delay = 800ms;
  label.memory = {1, 2, 3, UINT64_MAX};
  label.start_digest = 7;
  label.passed_over = 8;
  label.extra = std::string("\0\xff opaque", 9);
  return label;
}

TEST(ProcessLabel, ReadsBackWhatItWrote) {
  const ProcessLabel label = full_label();
  const auto read = ProcessLabel::decode(label.encode());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, label);
}

TEST(ProcessLabel, RefusesEveryTruncationAndAnythingLeftOver) {
  const std::string bytes = full_label().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ProcessLabel::decode(std::string_view(bytes).substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(ProcessLabel::decode(bytes + "x").ok());
}

TEST(ProcessLabel, SurvivesEveryChangedByte) {
  const std::string bytes = full_label().encode();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string changed = bytes;
      changed[i] = value;
      const auto read = ProcessLabel::decode(changed);
      if (read) { EXPECT_LE(read->window.size(), ProcessLabel::kMaxWindow); }
    }
  }
}

TEST(ProcessLabel, RefusesAnotherVersionAndAnotherKind) {
  std::string bytes = full_label().encode();
  bytes[0] = static_cast<char>(bytes[0] + 1);
  EXPECT_EQ(ProcessLabel::decode(bytes).error().code, errc::bad_data);
  EXPECT_FALSE(SupervisorLabel::decode(full_label().encode()).ok());
}

TEST(ProcessLabel, KeepsTheNewestOfTooManyRestarts) {
  ProcessLabel label = full_label();
  label.window.clear();
  for (std::size_t i = 0; i < ProcessLabel::kMaxWindow + 10; ++i) label.window.push_back(MonotonicTime(i * 1s));
  const auto read = ProcessLabel::decode(label.encode());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->window.size(), ProcessLabel::kMaxWindow);
  EXPECT_EQ(read->window.front(), MonotonicTime(10s));
}

TEST(SupervisorLabel, ReadsBackWhatItWrote) {
  SupervisorLabel label;
  label.id = "pipeline";
  label.state = SupervisorLabel::State::escalating;
  label.due = MonotonicTime(5s);
  label.failures = {MonotonicTime(1s)};
  label.reason = "a: exit code 1";
  const auto read = SupervisorLabel::decode(label.encode());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, label);
  const std::string bytes = label.encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(SupervisorLabel::decode(std::string_view(bytes).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace tenon::runtime
