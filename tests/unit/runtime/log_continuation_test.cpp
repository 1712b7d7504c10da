// A log that goes on where an engine that died left off: by the times of its lines, from its files, out of the journal.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>

#include "common/system.hpp"
#include "common/text.hpp"
#include "event/fake_loop.hpp"
#include "runtime/log_capture.hpp"
#include "runtime/log_history.hpp"
#include "unit/common/temporary_directory.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct LogContinuation : testing::Test {
  LogContinuation() {
    config.file = path;
    config.rate_bytes = 0;
  }

  std::unique_ptr<LogCapture> engine() {
    auto logs = std::make_unique<LogCapture>(loop, [](const ProcessId&, const Error& e) { ADD_FAILURE() << e.message; });
    logs->configure("w", config);
    logs->use_journal(LogJournal::adopt(unique_fd(::dup(journal.fd()))).value());
    return logs;
  }
  // The texts behind a time, as somebody gets them who asks for a page after the other.
  std::vector<std::string> after(const LogCapture& logs, WallTime time, std::size_t page = 1 << 20) {
    std::vector<std::string> texts;
    for (bool more = true; more;) {
      const std::size_t before = texts.size();
      const auto read = logs.lines_after("w", time, page, [&](const LogLine& line) {
        texts.emplace_back(line.text);
        EXPECT_LT(time, line.at) << "the next page begins behind it";
        time = line.at;
      });
      more = read.more;
      whole_from = std::max(whole_from, read.whole_from);
      EXPECT_TRUE(!more || texts.size() > before) << "every page brings something";
    }
    return texts;
  }
  std::vector<std::string> numbers(int first, int last) {
    std::vector<std::string> texts;
    for (int i = first; i <= last; ++i) texts.push_back("line " + std::to_string(i));
    return texts;
  }
  void write(LogCapture& logs, int first, int last) {
    for (const std::string& text : numbers(first, last)) {
      logs.append_line("w", LogStream::standard_output, text);
      logs.last_lines("w", 1, [&](const LogLine& line) { times.push_back(line.at); });
    }
  }
  LogPlace place_now() const {
    struct stat info = {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return {info.st_ino, static_cast<std::uint64_t>(info.st_size)};
  }

  TemporaryDirectory directory;
  std::string path = directory.path() + "/w.log";
  LogConfig config;
  event::FakeLoop loop;
  LogJournal journal = LogJournal::make().value();
  std::vector<WallTime> times;  // of the lines that write() wrote
  WallTime whole_from = WallTime::min();
};

TEST_F(LogContinuation, NoTwoLinesHaveTheSameTime) {
  auto logs = engine();
  logs->configure("other", {});
  for (int i = 0; i < 3; ++i) {
    write(*logs, i, i);
    logs->append_line("other", LogStream::standard_output, "x");
    logs->last_lines("other", 1, [&](const LogLine& line) { times.push_back(line.at); });
  }
  logs.reset();
  logs = engine();  // for which the clock stands still, too
  write(*logs, 3, 4);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  EXPECT_EQ(std::adjacent_find(times.begin(), times.end()), times.end());
}

TEST_F(LogContinuation, ASuccessorGoesOnBehindAnyLineInWhicheverFileItIs) {
  config.ring_bytes = 1024;
  config.max_file_bytes = 150 * 1024;  // more than two blocks that the reader looks at
  config.keep_files = 10;
  auto former = engine();
  write(*former, 0, 6999);
  former.reset();
  const auto logs = engine();
  write(*logs, 7000, 7099);
  ASSERT_EQ(::access((path + ".1").c_str(), F_OK), 0) << "it was rotated";
  for (const int seen : {0, 1, 1499, 2500, 3333, 5000, 6998, 6999, 7000, 7042, 7099})
    EXPECT_EQ(after(*logs, times[static_cast<std::size_t>(seen)]), numbers(seen + 1, 7099)) << seen;
  EXPECT_EQ(after(*logs, times[100], 1000), numbers(101, 7099)) << "in small pages, too";
  EXPECT_EQ(whole_from, WallTime::min()) << "nothing is missing";
}

// Octets that this program has read from files.
std::uint64_t octets_read() {
  const std::string io = read_file("/proc/self/io", 4096).value();
  return std::strtoull(io.c_str() + std::strlen("rchar: "), nullptr, 10);
}

TEST_F(LogContinuation, APageReadsLittleMoreThanItBringsWhereverItBegins) {
  config.ring_bytes = 1024;
  config.max_file_bytes = 1 << 30;
  auto former = engine();
  write(*former, 0, 0);
  std::string lines;
  for (int i = 1; i <= 200'000; ++i)
    LogHistory::append(lines, {LogStream::standard_output, times[0] + i * 1us, false, "line " + std::to_string(i)});
  const unique_fd file(::open(path.c_str(), O_WRONLY | O_APPEND));
  ASSERT_TRUE(write_all(file.get(), lines, "log").ok());
  ASSERT_GT(lines.size(), 8u << 20);
  const LogHistory history(path, 3);
  for (const int seen : {0, 1, 77'777, 150'000, 199'990}) {
    const std::uint64_t before = octets_read();
    const auto page = history.after(times[0] + seen * 1us, 64 * 1024);
    EXPECT_LT(octets_read() - before, 400u * 1024) << seen;
    const auto first = LogHistory::parse(std::string_view(page.text).substr(0, page.text.find('\n')));
    ASSERT_TRUE(first) << seen;
    EXPECT_EQ(first->text, "line " + std::to_string(seen + 1));
    EXPECT_TRUE(page.whole);
  }
}

TEST_F(LogContinuation, WhatWasRotatedAwayIsSaid) {
  config.ring_bytes = 1024;
  config.max_file_bytes = 2000;
  config.keep_files = 1;
  auto former = engine();
  write(*former, 0, 199);
  const auto left = after(*former, times[0]);
  ASSERT_LT(left.size(), 150u);
  EXPECT_EQ(left, numbers(200 - static_cast<int>(left.size()), 199));
  EXPECT_EQ(whole_from, times[200 - left.size()] - 1ns);
}

TEST_F(LogContinuation, WithoutAFileWhatOnlyTheFormerEngineHeldIsMissing) {
  config.file.reset();
  auto former = engine();
  write(*former, 0, 2);
  EXPECT_EQ(after(*former, times[1]), numbers(2, 2));
  EXPECT_EQ(whole_from, WallTime::min());
  former.reset();
  loop.advance(1s);
  const auto logs = engine();
  loop.advance(1s);
  write(*logs, 3, 3);
  EXPECT_EQ(after(*logs, times[1]), numbers(3, 3));
  EXPECT_EQ(whole_from, times[0] + 1s) << "when the successor began";
}

TEST_F(LogContinuation, LinesThatAreNoneOfOursArePassedOver) {
  auto former = engine();
  write(*former, 0, 0);
  const unique_fd file(::open(path.c_str(), O_WRONLY | O_APPEND));
  ASSERT_TRUE(write_all(file.get(), "torn\n\n2026-01-01T00:00:00Z elsewhere x\n", "log").ok());
  former.reset();
  auto logs = engine();
  write(*logs, 1, 2);
  logs.reset();
  EXPECT_EQ(after(*engine(), times[0]), numbers(1, 2));
}

TEST_F(LogContinuation, TheNextOutputOfWhatWasTakenOverSaysSo) {
  const auto logs = engine();
  logs->taken_over("w");
  EXPECT_THAT(after(*logs, WallTime::min()), IsEmpty()) << "nobody is told before there is something to tell";
  write(*logs, 0, 1);
  EXPECT_THAT(after(*logs, WallTime::min()), ElementsAre(HasSubstr("the engine was restarted here"), "line 0", "line 1"));
}

// ---- the journal ----

TEST_F(LogContinuation, WhatWasReadAndNotWrittenIsWrittenByTheSuccessor) {
  auto former = engine();
  write(*former, 0, 1);
  const std::string bytes = " 2\nline 3\nline 4\nline";  // "line" came before, and was lost
  char* const read = journal.begin("w", LogStream::standard_output, bytes.size(), place_now());
  std::memcpy(read, bytes.data(), bytes.size());
  write(*former, 2, 3);  // that far it came
  former.reset();

  const auto logs = engine();
  Pipe pipe = make_pipe().value();
  ASSERT_TRUE(logs->attach("w", LogStream::standard_output, std::move(pipe.read_end)).ok());
  ASSERT_TRUE(write_all(pipe.write_end.get(), " 5\nline 6\n", "pipe").ok());
  loop.poll_descriptors();
  EXPECT_EQ(after(*logs, times[0]), numbers(1, 6)) << "none twice, none lost, none torn";
  EXPECT_FALSE(journal.unfinished()) << "it is done with";
}

TEST_F(LogContinuation, AReadThatDidNotTakePlaceLeftNothing) {
  EXPECT_FALSE(journal.unfinished());
  (void)journal.begin("w", LogStream::standard_error, 100, {});
  EXPECT_FALSE(LogJournal::adopt(unique_fd(::dup(journal.fd()))).value().unfinished());
}

TEST_F(LogContinuation, AReadOfAFewOctetsIsNoticedToo) {
  std::memcpy(journal.begin("w", LogStream::standard_error, 2, {7, 8}), "x\n", 2);
  const auto left = journal.unfinished();
  ASSERT_TRUE(left);
  EXPECT_EQ(left->id, "w");
  EXPECT_EQ(left->stream, LogStream::standard_error);
  EXPECT_EQ(left->bytes, "x\n");
  EXPECT_EQ(left->place.inode, 7u);
  EXPECT_EQ(left->place.size, 8u);
  journal.end();
  EXPECT_FALSE(journal.unfinished());
}

TEST_F(LogContinuation, MemoryOfAnotherKindIsRefused) {
  EXPECT_EQ(LogJournal::adopt(unique_fd(::open("/dev/null", O_RDWR))).error().code, errc::bad_data);
}

TEST_F(LogContinuation, EachReadIsInTheJournalUntilItIsDoneWith) {
  const auto logs = engine();
  std::optional<LogJournal::Unfinished> during;
  const auto follower = logs->follow("w", 0, [&](const LogLine&) { during = journal.unfinished(); }).value();
  Pipe pipe = make_pipe().value();
  ASSERT_TRUE(logs->attach("w", LogStream::standard_error, std::move(pipe.read_end)).ok());
  ASSERT_TRUE(write_all(pipe.write_end.get(), "some\nlines\n", "pipe").ok());
  loop.poll_descriptors();
  ASSERT_TRUE(during);
  EXPECT_EQ(during->bytes, "some\nlines\n");
  EXPECT_EQ(during->place.inode, place_now().inode);
  EXPECT_EQ(during->place.size, 0u);
  EXPECT_FALSE(journal.unfinished());
}

}  // namespace
}  // namespace tenon::runtime
