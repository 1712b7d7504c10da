#include "runtime/log_capture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/system.hpp"
#include "event/fake_loop.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct LogCaptureTest : testing::Test {
  LogCaptureTest() { logs.configure("w", config); }

  std::vector<std::string> last(std::size_t count) {
    std::vector<std::string> lines;
    logs.last_lines("w", count, [&](const LogLine& line) { lines.push_back(text_of(line)); });
    return lines;
  }
  static std::string text_of(const LogLine& line) {
    return std::string(to_string(line.stream)) + ":" + std::string(line.text) + (line.cut ? "…" : "");
  }
  LogCapture::LineCallback into(std::vector<std::string>& lines) {
    return [&lines](const LogLine& line) { lines.push_back(text_of(line)); };
  }
  unique_fd attach(LogStream stream) {
    Pipe pipe = make_pipe().value();
    EXPECT_TRUE(logs.attach("w", stream, std::move(pipe.read_end)).ok());
    return std::move(pipe.write_end);
  }
  static void write(const unique_fd& fd, std::string_view bytes) {
    ASSERT_TRUE(write_all(fd.get(), bytes, "pipe").ok());
  }
  void configure(const LogConfig& c) { logs.configure("w", c); }

  LogConfig config;
  event::FakeLoop loop;
  std::vector<std::string> problems, closed;
  LogCapture logs{loop, [this](const ProcessId& id, const Error& e) { problems.push_back(id + ": " + e.message); },
                  [this](const ProcessId& id, LogStream s) { closed.push_back(id + " " + std::string(to_string(s))); }};
};

TEST_F(LogCaptureTest, KeepsLinesOfBothStreamsWithTheirTime) {
  const unique_fd out = attach(LogStream::standard_output), err = attach(LogStream::standard_error);
  write(out, "one\ntw");
  write(err, "bad\r\n");
  loop.poll_descriptors();
  write(out, "o\n");
  loop.poll_descriptors();
  EXPECT_THAT(last(10), ElementsAre("stdout:one", "stderr:bad", "stdout:two"));
  EXPECT_THAT(last(1), ElementsAre("stdout:two"));
  logs.last_lines("w", 1, [&](const LogLine& line) { EXPECT_EQ(line.at, loop.clock().wall() + 2ns) << "the third"; });
}

TEST_F(LogCaptureTest, AnUnfinishedLineCountsWhenTheStreamEnds) {
  unique_fd out = attach(LogStream::standard_output);
  write(out, "no line feed");
  out.reset();
  loop.poll_descriptors();
  loop.poll_descriptors();
  EXPECT_THAT(last(10), ElementsAre("stdout:no line feed"));
  EXPECT_THAT(closed, ElementsAre("w stdout"));
  EXPECT_EQ(loop.live_watches(), 0u);
}

TEST_F(LogCaptureTest, ALineThatIsTooLongIsCutAndMarked) {
  config.ring_bytes = 1024;
  configure(config);
  const unique_fd out = attach(LogStream::standard_output);
  write(out, std::string(10000, 'x') + "\nnext\n");
  loop.poll_descriptors();
  const auto lines = last(10);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[0].ends_with("x…"));
  EXPECT_LE(lines[0].size(), 520u);
  EXPECT_EQ(lines[1], "stdout:next");
}

TEST_F(LogCaptureTest, TheRingKeepsTheLastWholeLines) {
  config.ring_bytes = 1024;
  configure(config);
  for (int i = 0; i < 1000; ++i) logs.append_line("w", LogStream::standard_output, "line " + std::to_string(i));
  const auto lines = last(1000);
  EXPECT_EQ(lines.back(), "stdout:line 999");
  EXPECT_GT(lines.size(), 20u);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[lines.size() - 1 - i], "stdout:line " + std::to_string(999 - i));
  }
}

TEST_F(LogCaptureTest, AppendedTextWithLineFeedsIsSeveralLines) {
  logs.append_line("w", LogStream::standard_output, "a\nb");
  logs.append_line("w", LogStream::standard_output, "");
  EXPECT_THAT(last(10), ElementsAre("stdout:a", "stdout:b", "stdout:"));
  logs.append_line("nobody", LogStream::standard_output, "x");
}

TEST_F(LogCaptureTest, AFollowerGetsWhatIsHeldAndThenWhatComes) {
  logs.append_line("w", LogStream::standard_output, "before");
  std::vector<std::string> lines;
  auto follower = logs.follow("w", 0, into(lines)).value();
  logs.append_line("w", LogStream::standard_error, "after");
  EXPECT_THAT(lines, ElementsAre("stdout:before", "stderr:after"));
  follower.reset();
  logs.append_line("w", LogStream::standard_error, "unheard");
  EXPECT_EQ(lines.size(), 2u);
}

TEST_F(LogCaptureTest, APositionResumesExactlyAfterALine) {
  std::uint64_t position = 0;
  for (const char* text : {"a", "b", "c"}) logs.append_line("w", LogStream::standard_output, text);
  logs.last_lines("w", 2, [&](const LogLine& line) {
    if (line.text == "b") position = line.position;
  });
  std::vector<std::string> lines;
  const auto follower = logs.follow("w", position, into(lines)).value();
  EXPECT_THAT(lines, ElementsAre("stdout:c"));
  std::vector<std::string> nothing;
  const auto other = logs.follow("w", logs.end_position("w"), into(nothing)).value();
  EXPECT_THAT(nothing, IsEmpty());
}

TEST_F(LogCaptureTest, AFollowerIsToldHowMuchItMissed) {
  config.ring_bytes = 1024;
  configure(config);
  for (int i = 0; i < 100; ++i) logs.append_line("w", LogStream::standard_output, std::string(50, 'x'));
  std::vector<std::string> lines;
  const auto follower = logs.follow("w", 0, into(lines)).value();
  EXPECT_THAT(lines.front(), HasSubstr("no longer in memory"));
  EXPECT_EQ(lines[1], "stdout:" + std::string(50, 'x'));
}

TEST_F(LogCaptureTest, AFollowerMayEndItselfWithinItsCall) {
  LogCapture::Follower follower;
  int calls = 0;
  follower = logs.follow("w", 0, [&](const LogLine&) { ++calls, follower.reset(); }).value();
  logs.append_line("w", LogStream::standard_output, "a");
  logs.append_line("w", LogStream::standard_output, "b");
  EXPECT_EQ(calls, 1);
}

TEST_F(LogCaptureTest, FollowersAreLimitedAndNamedProcessesOnly) {
  std::vector<LogCapture::Follower> followers;
  for (std::size_t i = 0; i < LogCapture::kMaxFollowers; ++i) {
    followers.push_back(logs.follow("w", 0, [](const LogLine&) {}).value());
  }
  EXPECT_EQ(logs.follow("w", 0, [](const LogLine&) {}).error().code, errc::exhausted);
  followers.pop_back();
  EXPECT_TRUE(logs.follow("w", 0, [](const LogLine&) {}).ok());
  EXPECT_EQ(logs.follow("nobody", 0, [](const LogLine&) {}).error().code, errc::not_found);
}

TEST_F(LogCaptureTest, WhatIsOverTheRateIsDroppedCountedAndSaid) {
  config.rate_bytes = 100, config.burst_bytes = 100;
  configure(config);
  for (int i = 0; i < 10; ++i) logs.append_line("w", LogStream::standard_output, std::string(49, 'x'));
  EXPECT_EQ(last(10).size(), 2u);
  EXPECT_EQ(logs.counters("w").dropped_lines, 8u);
  loop.advance(1s);
  EXPECT_EQ(last(1), std::vector<std::string>{"host:8 lines (400 B) dropped: over the rate of 100 B a second"});
  logs.append_line("w", LogStream::standard_output, "again");
  EXPECT_EQ(last(1), std::vector<std::string>{"stdout:again"});
}

TEST_F(LogCaptureTest, AFloodIsReadInBoundedSlicesAndThenLeftForAWhile) {
  config.rate_bytes = 0;
  configure(config);
  const unique_fd out = attach(LogStream::standard_output);
  ASSERT_TRUE(set_nonblocking(out.get()).ok());
  const std::string flood(LogCapture::kReadBytes, 'y');
  std::size_t rounds = 0;
  for (; rounds < 1000; ++rounds) {
    while (::write(out.get(), flood.data(), flood.size()) > 0) {
    }
    if (loop.poll_descriptors() == 0) break;  // it is full, and nobody reads
  }
  EXPECT_LE(rounds, LogCapture::kSlotBytes / 4096 + 1);
  EXPECT_EQ(loop.live_timers(), 1u);
  loop.advance(LogCapture::kSlot);
  EXPECT_EQ(loop.poll_descriptors(), 1u);
}

TEST_F(LogCaptureTest, AttachingTheNextIncarnationReadsTheRestOfTheFormer) {
  const unique_fd first = attach(LogStream::standard_error);
  write(first, "last words");
  const unique_fd second = attach(LogStream::standard_error);
  write(second, "hello\n");
  loop.poll_descriptors();
  EXPECT_THAT(last(10), ElementsAre("stderr:last words", "stderr:hello"));
  EXPECT_EQ(loop.live_watches(), 1u);
}

TEST_F(LogCaptureTest, ARemovedLogClosesItsDescriptorsAndTimers) {
  const unique_fd out = attach(LogStream::standard_output);
  logs.remove("w");
  EXPECT_EQ(loop.live_watches(), 0u);
  EXPECT_THAT(last(10), IsEmpty());
}

TEST_F(LogCaptureTest, AChangedRingSizeKeepsPositionsGrowing) {
  logs.append_line("w", LogStream::standard_output, "old");
  const auto before = logs.end_position("w");
  config.ring_bytes = 2048;
  configure(config);
  EXPECT_EQ(logs.end_position("w"), before);
  logs.append_line("w", LogStream::standard_output, "new");
  std::vector<std::string> lines;
  const auto follower = logs.follow("w", before, into(lines)).value();
  EXPECT_THAT(lines, ElementsAre("stdout:new"));
}

// No file of this process may grow meanwhile: the next thing to a full disk that needs no disk.
struct FullDisk {
  FullDisk() {
    former_action = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &former);
    const rlimit none{0, former.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &former);
    ::signal(SIGXFSZ, former_action);
  }
  rlimit former{};
  sighandler_t former_action;
};

TEST_F(LogCaptureTest, AFullDiskIsSaidOnceAndLinesStayInMemory) {
  std::string directory = (std::filesystem::temp_directory_path() / "tenon-log-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  config.file = directory + "/w.log";
  configure(config);
  {
    const FullDisk full;
    for (int i = 0; i < 5; ++i) logs.append_line("w", LogStream::standard_output, "x");
  }
  std::filesystem::remove_all(directory);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0], HasSubstr("File too large"));
  EXPECT_EQ(last(10).size(), 5u);
}

}  // namespace
}  // namespace tenon::runtime
