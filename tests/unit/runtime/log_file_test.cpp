#include "runtime/log_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

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

  LogFile file(std::uint64_t max_bytes, std::uint32_t keep) {
    return LogFile(path, max_bytes, keep, [this](const Error& error, bool recovered) {
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
};

TEST_F(LogFileTest, AppendsToWhatIsThere) {
  ASSERT_TRUE(write_file_atomically(path, "old\n").ok());
  file(1000, 2).write("new\n", now);
  EXPECT_EQ(read("w.log"), "old\nnew\n");
}

TEST_F(LogFileTest, RotatesBeforeItWouldGrowOverItsLimit) {
  LogFile log = file(10, 2);
  for (const char* line : {"one one\n", "two two\n", "three 3\n", "four 44\n"}) log.write(line, now);
  EXPECT_EQ(read("w.log"), "four 44\n");
  EXPECT_EQ(read("w.log.1"), "three 3\n");
  EXPECT_EQ(read("w.log.2"), "two two\n");
  EXPECT_EQ(read("w.log.3"), "<missing>");
}

TEST_F(LogFileTest, WithNothingToKeepItBeginsAnew) {
  LogFile log = file(10, 0);
  log.write("one one\n", now);
  log.write("two two\n", now);
  EXPECT_EQ(read("w.log"), "two two\n");
  EXPECT_EQ(read("w.log.1"), "<missing>");
}

TEST_F(LogFileTest, AFailureIsReportedOnceAndSoIsTheRecovery) {
  std::filesystem::create_directory(path);  // in the way
  LogFile log = file(1000, 2);
  log.write("a\n", now);
  log.write("b\nc\n", now + 10ms);
  log.write("d\n", now + 2s);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("lines go to memory only"));
  std::filesystem::remove(path);
  log.write("e\n", now + 2500ms);  // too early for another attempt
  log.write("f\n", now + 4s);
  EXPECT_EQ(read("w.log"), "f\n");
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_THAT(reports[1], HasSubstr("recovered: "));
  EXPECT_THAT(reports[1], HasSubstr("5 lines are missing"));
}

TEST_F(LogFileTest, ALinkIsNotFollowed) {
  const std::string victim = directory + "/victim";
  ASSERT_TRUE(write_file_atomically(victim, "precious\n").ok());
  ASSERT_EQ(::symlink(victim.c_str(), path.c_str()), 0);
  file(10, 0).write("many words of a worker\n", now);
  EXPECT_EQ(read("victim"), "precious\n");
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("is a symbolic link"));
}

TEST_F(LogFileTest, ADirectoryThatOthersCanWriteIsRefused) {
  ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
  file(1000, 2).write("x\n", now);
  EXPECT_EQ(read("w.log"), "<missing>");
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("could be replaced by another user"));
  EXPECT_THAT(reports[0], HasSubstr("chmod go-w " + directory));
}

TEST_F(LogFileTest, AFifoWithoutAReaderDoesNotHang) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  file(1000, 2).write("x\n", now);
  EXPECT_EQ(reports.size(), 1u);
}

TEST_F(LogFileTest, CutsABatchThatIsLargerThanAFileAtItsLines) {
  std::string batch;
  for (int i = 0; i < 9; ++i) batch += "line " + std::to_string(i) + "\n";
  file(16, 2).write(batch + "a line that is longer than a whole file\nend\n", now);
  EXPECT_EQ(read("w.log"), "end\n");
  EXPECT_EQ(read("w.log.1"), "a line that is longer than a whole file\n");
  EXPECT_EQ(read("w.log.2"), "line 8\n");
}

TEST_F(LogFileTest, WithNothingToKeepABurstLeavesItsEnd) {
  file(8, 0).write("one\ntwo\nthree\nfour\n", now);
  EXPECT_EQ(read("w.log"), "four\n");
}

// rename(2) between two links of one file does nothing, and says that it succeeded.
TEST_F(LogFileTest, AFormerFileThatIsALinkOfTheNewOneIsAFailureAndNoLoop) {
  LogFile log = file(10, 1);
  log.write("one one\n", now);
  std::filesystem::create_hard_link(path, path + ".1");
  log.write("two two\n", now);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("hard link"));
}

}  // namespace
}  // namespace tenon::runtime
