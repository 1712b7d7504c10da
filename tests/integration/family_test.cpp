// What a process starts belongs to it: limited, paused, stopped and killed with it, however it detaches itself; with
// control groups and without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <unistd.h>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

constexpr const char* kDaemons = R"({ "supervision": { "children": [ { "id": "w", "env": { "MARK": "${TEST}" },
  "command": ["bash", "-c", "setsid bash -c 'setsid sleep 1000 & exec sleep 1000' & exec sleep 1000"] } ] } })";

HostProcess::Options without_groups() {
  HostProcess::Options options;
  options.wrapper = {"unshare", "--mount", "sh", "-c", "umount -l /sys/fs/cgroup; exec \"$@\"", "sh"};
  return options;
}

// With control groups (false: none) the same things hold.
class Family : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root has control groups, and a mount namespace without them";
  }
  void run(const std::string& config) {
    host_.emplace(config, GetParam() ? HostProcess::Options{} : without_groups());
    ASSERT_TRUE(host_->start()) << host_->log();
  }
  std::set<pid_t> family() const { return processes_with_environment("MARK=" + host_->directory()); }
  bool family_becomes(std::size_t count) const { return wait_until([&] { return family().size() == count; }); }

  std::optional<HostProcess> host_;
};
INSTANTIATE_TEST_SUITE_P(Groups, Family, testing::Values(true, false),
                         [](const auto& given) { return given.param ? "with" : "without"; });

TEST_P(Family, IsStoppedAsAWhole) {
  ASSERT_NO_FATAL_FAILURE(run(kDaemons));
  ASSERT_TRUE(family_becomes(3));
  EXPECT_EQ(host_->cli({"stop", "w"}).exit_code, 0);
  EXPECT_TRUE(family_becomes(0));
  EXPECT_EQ(host_->cli({"start", "w"}).exit_code, 0);
  EXPECT_TRUE(family_becomes(3)) << "nothing of the next one was killed";
}

TEST_P(Family, LeavesNothingBehindWhenItsHeadCrashes) {
  ASSERT_NO_FATAL_FAILURE(run(kDaemons));
  ASSERT_TRUE(family_becomes(3));
  const std::set<pid_t> first = family();
  ::kill(host_->worker_pid("w"), SIGKILL);
  EXPECT_TRUE(wait_until([&] {
    const std::set<pid_t> now = family();
    return now.size() == 3 && std::none_of(now.begin(), now.end(), [&](pid_t pid) { return first.contains(pid); });
  }));
}

TEST_P(Family, EndsWithTheHost) {
  ASSERT_NO_FATAL_FAILURE(run(kDaemons));
  ASSERT_TRUE(family_becomes(3));
  EXPECT_EQ(host_->stop(), 0);
  EXPECT_TRUE(family().empty()) << "before the host has ended";
}

TEST_P(Family, EndsWithAKilledKeeper) {
  ASSERT_NO_FATAL_FAILURE(run(kDaemons));
  ASSERT_TRUE(family_becomes(3));
  ::kill(host_->keeper_pid(), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return family().empty(); }, std::chrono::seconds(5)));
}

TEST_P(Family, LeavesAloneWhatIsNobodysOfOurs) {
  // A child that the shell had before it became the host, and what that leaves to the host as its subreaper.
  HostProcess::Options options = GetParam() ? HostProcess::Options{} : without_groups();
  std::vector<std::string> shell = {"bash", "-c", "export FOREIGN=$TEST; (until [ -e $TEST/go ]; do sleep 0.01; done; setsid sleep 1000 &) & exec \"$@\"", "bash"};
  options.wrapper.insert(options.wrapper.begin(), shell.begin(), shell.end());
  host_.emplace(kDaemons, options);
  ASSERT_TRUE(host_->start()) << host_->log();
  write_text(host_->path("go"), "");  // the shell has become the host: what is left now is left to it
  const std::string foreign = "FOREIGN=" + host_->directory();
  const auto strangers = [&] {  // not the sleep of the loop before it
    const std::string command("sleep\0" "1000\0", 11);
    std::set<pid_t> found;
    for (const pid_t pid : processes_with_environment(foreign))
      if (read_text("/proc/" + std::to_string(pid) + "/cmdline") == command && !family().contains(pid)) found.insert(pid);
    return found;
  };
  ASSERT_TRUE(family_becomes(3));
  ASSERT_TRUE(wait_until([&] { return strangers().size() == 1 && is_alive(*strangers().begin()); }));
  EXPECT_EQ(host_->stop(), 0);
  const std::set<pid_t> left = strangers();
  EXPECT_EQ(left.size(), 1u);
  for (const pid_t pid : left) ::kill(pid, SIGKILL);
  EXPECT_TRUE(family().empty());
}

TEST_P(Family, MayOutliveItsHeadWhileThatRuns) {
  ASSERT_NO_FATAL_FAILURE(run(R"json({ "supervision": { "children": [ { "id": "w", "env": { "MARK": "${TEST}" },
    "command": ["bash", "-c", "(setsid sleep 1000 &) ; exec sleep 1000"] },
    { "id": "other", "command": ["sleep", "1000"] } ] } })json"));
  ASSERT_TRUE(family_becomes(2));
  const std::set<pid_t> before = family();
  ::kill(host_->worker_pid("other"), SIGKILL);  // after an exit the keeper looks for orphans
  ASSERT_TRUE(wait_until([&] { return host_->worker_status("other") == "idle" && host_->log().find("restarting") != std::string::npos; }));
  EXPECT_EQ(host_->cli({"restart", "other"}).exit_code, 0);
  EXPECT_EQ(family(), before) << "the orphan's family head runs";
}

struct Grouped : Family {};
INSTANTIATE_TEST_SUITE_P(Groups, Grouped, testing::Values(true), [](const auto&) { return "with"; });

TEST_P(Grouped, IsPausedAsAWhole) {
  ASSERT_NO_FATAL_FAILURE(run(R"json({ "supervision": { "children": [ { "id": "w", "cwd": "${TEST}",
    "command": ["bash", "-c", "setsid bash -c 'while :; do echo . >> beat; sleep 0.01; done' & exec sleep 1000"] } ] } })json"));
  const auto beats = [&] { return read_text(host_->path("beat")).size(); };
  ASSERT_TRUE(wait_until([&] { return beats() > 3; }));
  ASSERT_EQ(host_->cli({"pause", "w"}).exit_code, 0);
  ASSERT_TRUE(wait_until([&] {
    const std::string events = host_->cli({"status", "w"}).out;
    return events.find("paused") != std::string::npos;
  }));
  std::size_t last = 0;
  ASSERT_TRUE(wait_until([&] { return std::exchange(last, beats()) == beats(); }));
  const std::size_t frozen = beats();
  EXPECT_EQ(host_->cli({"ps"}).exit_code, 0);
  EXPECT_EQ(beats(), frozen);
  ASSERT_EQ(host_->cli({"resume", "w"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return beats() > frozen; }));
}

TEST_P(Grouped, IsStoppedEvenWhilePaused) {
  ASSERT_NO_FATAL_FAILURE(run(kDaemons));
  ASSERT_TRUE(family_becomes(3));
  ASSERT_EQ(host_->cli({"pause", "w"}).exit_code, 0);
  EXPECT_EQ(host_->stop(), 0);
  EXPECT_TRUE(family().empty());
}

TEST_P(Grouped, IsStartedAnewAfterItWasKilledWhilePaused) {
  ASSERT_NO_FATAL_FAILURE(run(R"json({ "supervision": { "intensity": { "restarts": 1000, "period": "1s" }, "children": [
    { "id": "w", "restart": { "config": { "initial": "1ms", "max": "1ms" } },
      "command": ["sh", "-c", "setsid sleep 1000 & exec sleep 1000"] } ] } })json"));
  for (int round = 0; round < 5; ++round) {
    const pid_t before = host_->worker_pid("w");
    ASSERT_EQ(host_->cli({"pause", "w"}).exit_code, 0);
    ASSERT_EQ(host_->cli({"kill", "--signal", "KILL", "w"}).exit_code, 0);
    ASSERT_EQ(host_->cli({"resume", "w"}).exit_code, 0);
    ASSERT_TRUE(wait_until([&] { return host_->worker_status("w") == "idle" && host_->worker_pid("w") != before; }));
  }
  EXPECT_EQ(host_->stop(), 0);
}

TEST_P(Grouped, SaysWhoRanOutOfMemory) {
  ASSERT_NO_FATAL_FAILURE(run(R"json({ "supervision": { "children": [ { "id": "hog", "limits": { "memory": "48MiB" },
    "restart": { "policy": "never" },
    "command": ["python3", "-c", "x = []\nwhile True: x.append(bytearray(1 << 20))"] } ] } })json"));
  EXPECT_TRUE(wait_until([&] { return host_->worker_status("hog") == "error"; }));
  EXPECT_THAT(host_->cli({"ps"}).out, HasSubstr("signal 9 (KILL): out of memory: limits.memory is 48 MiB"));
}

TEST_P(Grouped, HasAtMostSoManyProcesses) {
  ASSERT_NO_FATAL_FAILURE(run(R"json({ "supervision": { "children": [ { "id": "w", "env": { "MARK": "${TEST}" },
    "limits": { "processes": 5 }, "restart": { "policy": "never" },
    "command": ["perl", "-e",
      "$| = 1; for (1..20) { my $p = fork; if (!defined $p) { print qq(full\\n); next } sleep 1000 if !$p } sleep 1000"] } ] } })json"));
  EXPECT_TRUE(wait_until([&] { return host_->cli({"logs", "w"}).out.find("full") != std::string::npos; }));
  EXPECT_LE(family().size(), 5u);
  EXPECT_TRUE(family_becomes(5));
}

TEST_P(Grouped, RunsWithoutAGroupThatWillNotHaveIt) {
  ASSERT_NO_FATAL_FAILURE(run(kDaemons));
  ASSERT_TRUE(family_becomes(3));
  ASSERT_EQ(host_->cli({"stop", "w"}).exit_code, 0);
  // A threaded group makes all beside it invalid for whole processes: the kernel refuses to put one there.
  const std::string kill_file = "*/tenon." + std::to_string(host_->keeper_pid()) + "-*/cgroup.kill";
  ASSERT_EQ(run_program({"sh", "-ec", "cd $(dirname $(find /sys/fs/cgroup -path '" + kill_file + "')); mkdir t;"
                                      "echo threaded > t/cgroup.type"}).exit_code, 0);
  EXPECT_EQ(host_->cli({"start", "w"}).exit_code, 0);
  EXPECT_TRUE(family_becomes(3));
  EXPECT_THAT(host_->log(), HasSubstr("a process runs without a control group: its own will not have it"));
  EXPECT_EQ(host_->cli({"stop", "w"}).exit_code, 0);
  EXPECT_TRUE(family_becomes(0)) << "what detached itself is found by its cookie";
}

TEST_P(Grouped, LeavesNoGroupBehind) {
  ASSERT_NO_FATAL_FAILURE(run(kDaemons));
  ASSERT_TRUE(family_becomes(3));
  const std::string keeper = "tenon." + std::to_string(host_->keeper_pid()) + "-";
  const auto groups = [&] { return run_program({"find", "/sys/fs/cgroup", "-name", keeper + "*"}).out; };
  ASSERT_THAT(groups(), HasSubstr(keeper));
  EXPECT_EQ(host_->stop(), 0);
  EXPECT_EQ(groups(), "");
}

}  // namespace
}  // namespace tenon::test_support
