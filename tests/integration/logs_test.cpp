// `logs -f` on a real host whose engine dies and is replaced while processes write numbered lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "common/text.hpp"
#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using testing::HasSubstr;
using testing::Not;

// Numbered lines, some hundreds a second, each in one write: the half of one that an engine held would be lost.
std::string counting(const std::string& id, const std::string& log) {
  return R"({ "id": ")" + id + R"(", "command": ["${WORKERS}/counting.py"], "log": )" + log + " }";
}
std::string to_file(const std::string& id) {
  const std::string file = R"("file": "${TEST}/)" + id + R"(.log")";
  return counting(id, "{ " + file + R"(, "max_file": "16KiB", "keep_files": 100, "memory": "4KiB" })");
}

class Logs : public ::testing::Test {
 protected:
  void begin(const std::string& children) {
    host_.emplace(R"({ "supervision": { "children": [)" + children + "] } }");
    ASSERT_TRUE(host_->start()) << host_->log();
  }
  void follow(std::vector<std::string> ids) {
    std::vector<std::string> words{tenon_binary(), "logs", "-f", "-n", "5", "--socket", host_->socket()};
    words.insert(words.end(), ids.begin(), ids.end());
    follower_.emplace(words, std::vector<std::string>{}, host_->path("followed"));
  }
  std::string followed() const { return read_text(host_->path("followed")); }
  // The numbers of the lines "line N" of what was followed, of one process where it was of several.
  std::vector<int> numbers(const std::string& id = "") const {
    std::vector<int> found;
    const std::string text = followed(), prefix = (id.empty() ? "" : id + "  ") + "line ";
    for (const std::string_view line : split(std::string_view(text).substr(0, text.rfind('\n') + 1), '\n'))
      if (line.starts_with(prefix)) found.push_back(std::atoi(line.data() + prefix.size()));
    return found;
  }
  // Until lines of after this moment have come through.
  bool goes_on(const std::string& id = "") {
    const std::size_t seen = numbers(id).size();
    return wait_until([&] { return numbers(id).size() > seen + 50; });
  }
  static void expect_each_once(const std::vector<int>& numbers) {
    ASSERT_FALSE(numbers.empty());
    for (std::size_t i = 1; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], numbers[i - 1] + 1) << "at line " << i;
  }

  std::optional<HostProcess> host_;
  std::optional<BackgroundProgram> follower_;
};

TEST_F(Logs, AreFollowedThroughRotationDeathsOfTheEngineAndAnUpgradeWithEachLineOnce) {
  ASSERT_NO_FATAL_FAILURE(begin(to_file("w")));
  follow({"w"});
  for (int round = 1; round <= 4; ++round) {
    ASSERT_TRUE(goes_on()) << followed() << host_->log();
    ASSERT_EQ(::kill(host_->engine_pid(), SIGKILL), 0);
    ASSERT_TRUE(host_->wait_for_engine_restart(round)) << host_->log();
  }
  ASSERT_TRUE(goes_on()) << host_->log();
  ASSERT_EQ(host_->cli({"upgrade"}).exit_code, 0) << host_->log();
  ASSERT_TRUE(goes_on()) << host_->log();
  follower_->signal(SIGINT);
  EXPECT_TRUE(follower_->wait().has_value());
  expect_each_once(numbers());
  EXPECT_NE(read_text(host_->path("w.log.1")), "") << "it was rotated meanwhile";
  EXPECT_THAT(followed(), Not(HasSubstr("may be missing here"))) << "nothing was";
  EXPECT_THAT(followed(), HasSubstr("the engine was restarted here"));
}

TEST_F(Logs, OfSeveralGoOnEachBehindItsOwnLastLine) {
  ASSERT_NO_FATAL_FAILURE(begin(to_file("a") + "," + to_file("b")));
  follow({"a", "b"});
  for (int round = 1; round <= 3; ++round) {
    ASSERT_TRUE(goes_on("a") && goes_on("b")) << followed() << host_->log();
    ASSERT_EQ(::kill(host_->engine_pid(), SIGKILL), 0);
    ASSERT_TRUE(host_->wait_for_engine_restart(round)) << host_->log();
  }
  ASSERT_TRUE(goes_on("a") && goes_on("b")) << host_->log();
  expect_each_once(numbers("a"));
  expect_each_once(numbers("b"));
}

TEST_F(Logs, WhatNoFileHasKeptIsSaidToBeMissing) {
  ASSERT_NO_FATAL_FAILURE(begin(counting("w", R"({ "memory": "64KiB" })")));
  follow({"w"});
  ASSERT_TRUE(goes_on()) << followed() << host_->log();
  ASSERT_EQ(::kill(host_->engine_pid(), SIGKILL), 0);
  ASSERT_TRUE(host_->wait_for_engine_restart(1)) << host_->log();
  ASSERT_TRUE(goes_on()) << host_->log();
  EXPECT_THAT(followed(), HasSubstr("earlier lines of w may be missing here"));
  EXPECT_THAT(followed(), HasSubstr("log.file"));
  const std::vector<int> seen = numbers();
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end()) << "none twice";
}

}  // namespace
}  // namespace tenon::test_support
