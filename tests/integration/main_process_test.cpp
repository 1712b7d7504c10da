// Processes that go on as another one of their family, which they name by MAINPID as daemons for systemd do; with control
// groups and without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <unistd.h>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

class MainProcess : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root has control groups, and a mount namespace without them";
  }
  // Its arguments after the program, each with a comma before it.
  void run(const std::string& arguments, const std::string& more = "") {
    HostProcess::Options options;
    if (!GetParam()) {
      options.wrapper = {"unshare", "--mount", "sh", "-c", "umount -l /sys/fs/cgroup; exec \"$@\"", "sh"};
    }
    host_.emplace(R"({ "supervision": { "children": [ { "id": "d", "cwd": "${TEST}", "ready": { "on": "notify" },
      "command": ["python3", "${WORKERS}/daemon.py")" + arguments + R"(], "restart": { "policy": "on_failure" })" + more + " } ] } }",
                  options);
    host_->launch();
  }
  pid_t main_pid() const { return std::atoi(read_text(host_->path("main.d")).c_str()); }
  bool goes_on_as_the_main_process() {
    return wait_until([&] { return main_pid() > 0 && host_->worker_pid("d") == main_pid(); });
  }
  void go() { std::ofstream{host_->path("go")}; }

  std::optional<HostProcess> host_;
};
INSTANTIATE_TEST_SUITE_P(Groups, MainProcess, testing::Values(true, false),
                         [](const auto& given) { return given.param ? "with" : "without"; });

TEST_P(MainProcess, IsTheProcessWhenTheFirstOneHasEnded) {
  run("");  // which ends as soon as it has spoken
  ASSERT_TRUE(goes_on_as_the_main_process()) << host_->log();
  EXPECT_TRUE(wait_until([&] { return host_->worker_status("d") == "idle"; }));
  EXPECT_EQ(host_->cli({"stop", "d"}).exit_code, 0);
  EXPECT_EQ(read_text(host_->path("ended.d")), std::to_string(main_pid())) << "it got the stop signal, and time";
  EXPECT_EQ(host_->worker_status("d"), "terminated");
}

TEST_P(MainProcess, EndsTheProcessWithItsOwnStatus) {
  run("");
  ASSERT_TRUE(goes_on_as_the_main_process()) << host_->log();
  const pid_t first = main_pid();
  ::kill(first, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return main_pid() != first && goes_on_as_the_main_process(); }));
  EXPECT_THAT(host_->log(), HasSubstr("signal 9 (KILL)"));
}

TEST_P(MainProcess, IsFollowedWhileNoEngineLives) {
  run(R"(, "wait")");
  ASSERT_TRUE(wait_until([&] { return host_->worker_status("d") == "idle"; })) << host_->log();
  EXPECT_NE(host_->worker_pid("d"), main_pid()) << "the one that was started lives";
  const pid_t engine = host_->engine_pid();
  ::kill(engine, SIGSTOP);
  go();
  ASSERT_TRUE(wait_until([&] { return host_->log().find("goes on as another") != std::string::npos; }));
  ::kill(engine, SIGKILL);
  EXPECT_TRUE(goes_on_as_the_main_process());
  EXPECT_EQ(host_->worker_status("d"), "idle");
}

TEST_P(MainProcess, IsStoppedBesideTheOneThatNamedIt) {
  run(R"(, "wait")");
  ASSERT_TRUE(wait_until([&] { return host_->worker_status("d") == "idle"; })) << host_->log();
  EXPECT_EQ(host_->stop(), 0);
  EXPECT_EQ(read_text(host_->path("ended.d")), std::to_string(main_pid()));
}

TEST_P(MainProcess, MustBeADescendant) {
  run(R"(, "wait", "pid=)" + std::to_string(::getpid()) + "\"");
  ASSERT_TRUE(wait_until([&] { return host_->log().find("it is none of its descendants") != std::string::npos; }))
      << host_->log();
  go();
  EXPECT_TRUE(wait_until([&] { return host_->worker_status("d") == "terminated"; }));
  EXPECT_TRUE(wait_until([&] { return !is_alive(main_pid()); })) << "what it had started ends with it";
}

// Whoever is quicker, the engine to hear what was said or the keeper to see who ended.
TEST_P(MainProcess, IsFollowedHoweverSoonTheOtherEnds) {
  run("", R"(, "replicas": 20)");
  for (int i = 1; i <= 20; ++i) {
    const std::string id = "d." + std::to_string(i);
    EXPECT_TRUE(wait_until([&] {
      const std::string main = read_text(host_->path("main." + id));
      return !main.empty() && std::to_string(host_->worker_pid(id)) == main && host_->worker_status(id) == "idle";
    })) << id << "\n" << host_->log();
  }
}

TEST_P(MainProcess, IsFollowedBehindOneThatIsAboutToEnd) {
  run(R"(, "between")");
  EXPECT_TRUE(goes_on_as_the_main_process()) << host_->log();
}

TEST_P(MainProcess, IsStoppedInASessionThatItTookLater) {
  run(R"(, "late")");
  ASSERT_TRUE(goes_on_as_the_main_process()) << host_->log();
  ASSERT_TRUE(wait_until([&] { return ::access(host_->path("late").c_str(), F_OK) == 0; }));
  EXPECT_EQ(host_->cli({"stop", "d"}).exit_code, 0);
  EXPECT_EQ(read_text(host_->path("ended.d")), std::to_string(main_pid()));
}

TEST_P(MainProcess, TellsHowItEndedEvenIfThatWasAtOnce) {
  run(R"(, "exit=3")");
  EXPECT_TRUE(wait_until([&] { return host_->log().find("exit code 3") != std::string::npos; })) << host_->log();
}

TEST_P(MainProcess, ThatIsGoneTakesNoSignals) {
  run(R"(, "reap", "wait")");
  ASSERT_TRUE(wait_until([&] { return ::access(host_->path("reaped").c_str(), F_OK) == 0; })) << host_->log();
  EXPECT_EQ(host_->cli({"kill", "--signal", "USR1", "d"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return ::access(host_->path("usr1").c_str(), F_OK) == 0; }));
}

}  // namespace
}  // namespace tenon::test_support
