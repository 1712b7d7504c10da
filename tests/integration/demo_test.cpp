// The demo as packaging/quickstart runs it, on files of the test's own.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

const std::string kDemo = TENON_DEMO_DIRECTORY;

class Demo : public ::testing::Test {
 protected:
  Demo() {
    char name[] = "/tmp/tenon-demo-XXXXXX";
    directory_ = ::mkdtemp(name);
    std::filesystem::create_directory(files());
  }
  ~Demo() override { std::filesystem::remove_all(directory_); }

  std::string files() const { return directory_ + "/files"; }
  std::string report() const { return read_text(directory_ + "/report"); }
  std::string last_line() const {
    std::string text = report();
    if (!text.empty()) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }

  void write_files(int count) {
    for (int i = 0; i < count; ++i) {
      std::string text;
      for (int line = 0; line <= i % 7; ++line) text += "The tenon fits the mortise " + std::to_string(i) + "\n";
      write_text(files() + "/text " + std::to_string(i), text);
    }
  }

  ProgramResult run_demo() {
    return run_program({tenon_binary(), "run", kDemo + "/tenon.json", "--until-idle", "--socket", directory_ + "/s"},
                       {"DEMO_PATH=" + files(), "DEMO_REPORT=" + directory_ + "/report"});
  }

  std::string directory_;
};

struct Summary {
  int files = -1, results = -1, crashes = -1, lost = -1;
};

Summary parse(const std::string& line) {
  Summary s;
  std::sscanf(line.c_str(), "files=%d results=%d crashes=%d lost=%d", &s.files, &s.results, &s.crashes, &s.lost);
  return s;
}

TEST_F(Demo, EveryFileHasItsResultAlthoughAWorkerCrashes) {
  write_files(120);
  const ProgramResult run = run_demo();
  ASSERT_EQ(run.exit_code, 0) << run.err << run.out;
  const Summary summary = parse(last_line());
  EXPECT_EQ(summary.files, 120) << report() << run.err;
  EXPECT_EQ(summary.results, 120);
  EXPECT_GE(summary.crashes, 1);
  EXPECT_EQ(summary.lost, 0);
}

TEST_F(Demo, EndsByItselfWhenThereIsNothingToDo) {
  const ProgramResult run = run_demo();
  ASSERT_EQ(run.exit_code, 0) << run.err << run.out;
  EXPECT_EQ(last_line(), "files=0 results=0 crashes=0 lost=0") << run.err;
}

TEST_F(Demo, TakesFilesOfAnyPrintableName) {
  write_text(files() + "/quoted \"name\" \\ back", "one\n");
  write_text(files() + "/größe", "two\n");
  write_text(files() + "/'; $(exit 1) `exit 1`", "three\n");
  const ProgramResult run = run_demo();
  ASSERT_EQ(run.exit_code, 0) << run.err << run.out;
  const Summary summary = parse(last_line());
  EXPECT_EQ(summary.files, 3);
  EXPECT_EQ(summary.results, 3);
  EXPECT_EQ(report().find("could not be read"), std::string::npos) << report();
}

TEST_F(Demo, AMissingDirectoryIsAnError) {
  std::filesystem::remove(files());
  EXPECT_EQ(run_demo().exit_code, 1);
}

TEST_F(Demo, ShellAndCppCountByTheSameRules) {
  write_files(9);
  std::string zeros("\0\0word\0other\xff words\n\n", 22);
  write_text(files() + "/binary", zeros);
  const ProgramResult feed = run_program({kDemo + "/feeder", files()});
  ASSERT_EQ(feed.exit_code, 0) << feed.err;
  const auto results_of = [&](const std::string& analyst) {
    std::string results;
    const std::string out = run_program({kDemo + analyst}, {}, feed.out).out;
    for (std::size_t at = 0, end = 0; (end = out.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::string line = out.substr(at, end - at + 1);
      if (line.find("\"task.result\"") != std::string::npos) results += line;
    }
    return results;
  };
  const std::string shell = results_of("/shell_analyst");
  EXPECT_NE(shell, "");
  EXPECT_EQ(shell, results_of("/analyst"));
}

}  // namespace
}  // namespace tenon::test_support
