#include "runtime/log_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/rfc3339.hpp"
#include "common/system.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct LogFileTest : testing::Test {
  LogFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenon-log-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    path = directory + "/w.log";
  }
  ~LogFileTest() override { std::filesystem::remove_all(directory); }

  LogFile file(std::uint64_t max_bytes, std::uint32_t keep, Duration max_age = Duration(0)) {
    return LogFile(path, {max_bytes, keep, max_age}, [this](const Error& error, bool recovered) {
      reports.push_back((recovered ? "recovered: " : "failed: ") + error.message);
    });
  }
  std::string read(const std::string& name) {
    auto text = read_file(directory + "/" + name, 1 << 20);
    return text ? *text : "<missing>";
  }

  std::string directory, path;
  std::vector<std::string> reports;
  MonotonicTime now{1h};
  WallTime wall = parse_rfc3339("2026-03-01T12:00:00Z").value();
};

TEST_F(LogFileTest, AppendsToWhatIsThere) {
  ASSERT_TRUE(write_file_atomically(path, "old\n").ok());
  file(1000, 2).write("new\n", now, wall);
  EXPECT_EQ(read("w.log"), "old\nnew\n");
}

TEST_F(LogFileTest, RotatesBeforeItWouldGrowOverItsLimit) {
  LogFile log = file(10, 2);
  for (const char* line : {"one one\n", "two two\n", "three 3\n", "four 44\n"}) log.write(line, now, wall);
  EXPECT_EQ(read("w.log"), "four 44\n");
  EXPECT_EQ(read("w.log.1"), "three 3\n");
  EXPECT_EQ(read("w.log.2"), "two two\n");
  EXPECT_EQ(read("w.log.3"), "<missing>");
}

TEST_F(LogFileTest, WithNothingToKeepItBeginsAnew) {
  LogFile log = file(10, 0);
  log.write("one one\n", now, wall);
  log.write("two two\n", now, wall);
  EXPECT_EQ(read("w.log"), "two two\n");
  EXPECT_EQ(read("w.log.1"), "<missing>");
}

TEST_F(LogFileTest, RotatesWhatIsTooOldBeforeTheNextLine) {
  LogFile log = file(1000, 2, 24h);
  log.write("2026-03-01T12:00:00.000Z stdout first\n", now, wall);
  log.write("2026-03-02T11:59:59.000Z stdout still\n", now + 23h, wall + 23h);
  EXPECT_EQ(read("w.log.1"), "<missing>");
  log.write("2026-03-02T12:00:00.000Z stdout next\n", now + 24h, wall + 24h);
  EXPECT_EQ(read("w.log"), "2026-03-02T12:00:00.000Z stdout next\n");
  EXPECT_THAT(read("w.log.1"), HasSubstr("still"));
}

TEST_F(LogFileTest, AgeCountsThroughRestartsByTheFirstLinesTime) {
  ASSERT_TRUE(write_file_atomically(path, "2026-02-28T11:00:00.000Z stdout old\n").ok());
  file(1000, 2, 24h).write("a\n", now, wall);
  EXPECT_EQ(read("w.log"), "a\n");
  EXPECT_THAT(read("w.log.1"), HasSubstr("old"));
  ASSERT_TRUE(write_file_atomically(path, "2026-03-01T11:00:00.000Z stdout young\n").ok());
  file(1000, 2, 24h).write("b\n", now, wall);
  EXPECT_THAT(read("w.log"), HasSubstr("young"));
}

TEST_F(LogFileTest, WhatIsNotOursOrComesFromTheFutureIsYoung) {
  for (const char* first : {"no time at all\n", "2031-01-01T00:00:00.000Z stdout later\n", "\n"}) {
    ASSERT_TRUE(write_file_atomically(path, first).ok());
    LogFile log = file(1000, 2, 24h);
    log.write("a\n", now, wall);
    EXPECT_EQ(read("w.log"), std::string(first) + "a\n");
    log.write("b\n", now + 24h, wall - 24h);  // the clock was set back: what has passed, has passed
    EXPECT_EQ(read("w.log"), "b\n");
    std::filesystem::remove(path);
  }
}

TEST_F(LogFileTest, WhatKeepsNoFormerFilesIsEmptiedOncePerAge) {
  LogFile log = file(1000, 0, 1h);
  log.write("a\n", now, wall);
  log.write("b\n", now + 1h, wall + 1h);
  log.write("c\n", now + 90min, wall + 90min);
  EXPECT_EQ(read("w.log"), "b\nc\n");
}

TEST_F(LogFileTest, AFailureIsReportedOnceAndSoIsTheRecovery) {
  std::filesystem::create_directory(path);  // in the way
  LogFile log = file(1000, 2);
  log.write("a\n", now, wall);
  log.write("b\nc\n", now + 10ms, wall);
  log.write("d\n", now + 2s, wall);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("lines go to memory only"));
  std::filesystem::remove(path);
  log.write("e\n", now + 2500ms, wall);  // too early for another attempt
  log.write("f\n", now + 4s, wall);
  EXPECT_EQ(read("w.log"), "2026-03-01T12:00:00.000000000Z host 5 lines are missing here: the file could not be "
                           "written\nf\n");
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_THAT(reports[1], HasSubstr("recovered: "));
  EXPECT_THAT(reports[1], HasSubstr("5 lines are missing"));
}

TEST_F(LogFileTest, ALinkIsNotFollowed) {
  const std::string victim = directory + "/victim";
  ASSERT_TRUE(write_file_atomically(victim, "precious\n").ok());
  ASSERT_EQ(::symlink(victim.c_str(), path.c_str()), 0);
  file(10, 0).write("many words of a worker\n", now, wall);
  EXPECT_EQ(read("victim"), "precious\n");
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("is a symbolic link"));
}

TEST_F(LogFileTest, ADirectoryThatOthersCanWriteIsRefused) {
  ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
  file(1000, 2).write("x\n", now, wall);
  EXPECT_EQ(read("w.log"), "<missing>");
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("could be replaced by another user"));
  EXPECT_THAT(reports[0], HasSubstr("chmod go-w " + directory));
}

TEST_F(LogFileTest, AFifoWithoutAReaderDoesNotHang) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  file(1000, 2).write("x\n", now, wall);
  EXPECT_EQ(reports.size(), 1u);
}

TEST_F(LogFileTest, CutsABatchThatIsLargerThanAFileAtItsLines) {
  std::string batch;
  for (int i = 0; i < 9; ++i) batch += "line " + std::to_string(i) + "\n";
  file(16, 2).write(batch + "a line that is longer than a whole file\nend\n", now, wall);
  EXPECT_EQ(read("w.log"), "end\n");
  EXPECT_EQ(read("w.log.1"), "a line that is longer than a whole file\n");
  EXPECT_EQ(read("w.log.2"), "line 8\n");
}

TEST_F(LogFileTest, WithNothingToKeepABurstLeavesItsEnd) {
  file(8, 0).write("one\ntwo\nthree\nfour\n", now, wall);
  EXPECT_EQ(read("w.log"), "four\n");
}

// rename(2) between two links of one file does nothing, and says that it succeeded.
TEST_F(LogFileTest, AFormerFileThatIsALinkOfTheNewOneIsAFailureAndNoLoop) {
  LogFile log = file(10, 1);
  log.write("one one\n", now, wall);
  std::filesystem::create_hard_link(path, path + ".1");
  log.write("two two\n", now, wall);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("hard link"));
}

}  // namespace
}  // namespace tenon::runtime
