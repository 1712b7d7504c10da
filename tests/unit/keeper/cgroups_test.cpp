// Control groups: by what is written into a directory that only looks like a hierarchy, and, where this process may make
// some, with the kernel's own.
#include "keeper/cgroups.hpp"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "common/system.hpp"
#include "keeper/spawner.hpp"

namespace tenon::keeper {
namespace {

namespace fs = std::filesystem;

// ---- a directory in place of a hierarchy ----

class FakeHierarchy : public testing::Test {
 protected:
  FakeHierarchy() : root(testing::TempDir() + "cgroups_test_" + std::to_string(::getpid())) {
    fs::remove_all(root);
    fs::create_directories(root);
  }
  ~FakeHierarchy() override { fs::remove_all(root); }
  // The kernel makes the files of a new group; here they are made before.
  void file(const std::string& path, const std::string& text = "") {
    fs::create_directories(fs::path(root + "/" + path).parent_path());
    std::ofstream(root + "/" + path) << text;
  }
  std::string text(const std::string& path) { return read_file(root + "/" + path, 4096).value(); }
  std::string root;
};

TEST_F(FakeHierarchy, OfVersion1SetsTheLimitsItIsAskedFor) {
  CgroupLayout layout;
  for (const char* name : {"memory", "pids", "cpu"}) fs::create_directories(root + "/" + name);
  layout.legacy[0] = root + "/memory", layout.legacy[1] = root + "/pids", layout.legacy[2] = root + "/cpu";
  Cgroups groups = Cgroups::make(layout, "run");
  EXPECT_FALSE(groups.contains());
  const std::string memory = "memory/run", pids = "pids/run", cpu = "cpu/run";
  file(memory + "/p.a.1/memory.limit_in_bytes"), file(memory + "/p.a.1/cgroup.procs");
  file(pids + "/p.a.1/pids.max"), file(pids + "/p.a.1/cgroup.procs");
  file(cpu + "/p.a.1/cpu.cfs_quota_us"), file(cpu + "/p.a.1/cgroup.procs");

  const auto joined = groups.join("a.1", {64u << 20, 8, 500});
  EXPECT_EQ(joined.others.size(), 3u);
  EXPECT_FALSE(joined.contained());
  EXPECT_TRUE(joined.limited[0] && joined.limited[1] && joined.limited[2]);
  EXPECT_EQ(text(memory + "/p.a.1/memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(text(pids + "/p.a.1/pids.max"), "8");
  EXPECT_EQ(text(cpu + "/p.a.1/cpu.cfs_quota_us"), "50000");
  file(memory + "/p.a.1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
  EXPECT_EQ(groups.out_of_memory_kills("a.1"), 3u);

  EXPECT_TRUE(groups.join("b", {}).others.empty()) << "nothing to limit, nothing that contains";
}

TEST_F(FakeHierarchy, OfVersion2TakesControllersThatAreDelegated) {
  file("own/cgroup.controllers", "cpuset cpu io memory pids\n");
  for (const char* name : {"own/cgroup.subtree_control", "own/run/cgroup.subtree_control", "own/run/cgroup.kill",
                           "own/run/p.a/cgroup.procs", "own/run/p.a/memory.max", "own/run/p.a/cpu.max", "own/run/p.a/pids.max"})
    file(name);
  file("own/run/cgroup.controllers", "cpu memory pids\n");
  CgroupLayout layout;
  layout.unified = layout.legacy[0] = root + "/own";
  Cgroups groups = Cgroups::make(layout, "run");
  EXPECT_TRUE(groups.contains());
  EXPECT_EQ(text("own/cgroup.subtree_control"), "+memory +pids +cpu");
  EXPECT_EQ(text("own/run/cgroup.subtree_control"), "+memory +pids +cpu");
  const auto joined = groups.join("a", {1 << 20, 5, 1500});
  EXPECT_TRUE(joined.contained());
  EXPECT_TRUE(joined.others.empty()) << "one group contains and limits";
  EXPECT_TRUE(joined.limited[0] && joined.limited[1] && joined.limited[2]);
  EXPECT_EQ(text("own/run/p.a/memory.max"), "1048576");
  EXPECT_EQ(text("own/run/p.a/pids.max"), "5");
  EXPECT_EQ(text("own/run/p.a/cpu.max"), "150000 100000");
  file("own/run/p.a/memory.events", "low 0\noom 2\noom_kill 1\noom_group_kill 0\n");
  EXPECT_EQ(groups.out_of_memory_kills("a"), 1u);

  for (const char* name : {"memory.max", "cpu.max", "pids.max"}) file(std::string("own/run/p.a/") + name);  // the kernel's own replace
  (void)groups.join("a", {.processes = 6});
  EXPECT_EQ(text("own/run/p.a/memory.max"), "max") << "its config names no limit any more";
  EXPECT_EQ(text("own/run/p.a/cpu.max"), "max");
  EXPECT_EQ(text("own/run/p.a/pids.max"), "6");
}

TEST_F(FakeHierarchy, OfVersion2WithoutControllersContainsAndLimitsNothing) {
  for (const char* name : {"own/cgroup.controllers", "own/run/cgroup.kill", "own/run/p.a/cgroup.procs"}) file(name);
  CgroupLayout layout;
  layout.unified = root + "/own";
  Cgroups groups = Cgroups::make(layout, "run");
  const auto joined = groups.join("a", {1 << 20, 5, 1500});
  EXPECT_TRUE(joined.contained());
  EXPECT_FALSE(joined.limited[0] || joined.limited[1] || joined.limited[2]);
}

TEST_F(FakeHierarchy, OfVersion2ThatCannotKillIsOfNoUse) {
  fs::create_directories(root + "/own");
  CgroupLayout layout;
  layout.unified = root + "/own";
  EXPECT_FALSE(Cgroups::make(layout, "run").contains());
  EXPECT_FALSE(fs::exists(root + "/own/run")) << "nothing is left of the attempt";
}

TEST_F(FakeHierarchy, ThatIsMissingIsNoFailure) {
  CgroupLayout layout;
  layout.unified = root + "/nowhere";
  layout.legacy[0] = root + "/nowhere";
  Cgroups groups = Cgroups::make(layout, "run");
  EXPECT_TRUE(groups.directories().empty());
  const auto joined = groups.join("a", {1 << 20, 1, 1});
  EXPECT_FALSE(joined.contained());
  EXPECT_TRUE(joined.others.empty());
  EXPECT_FALSE(groups.kill("a"));
}

// ---- the kernel's own ----

class RealCgroups : public testing::Test {
 protected:
  void SetUp() override {
    groups = Cgroups::make_here();
    if (!groups.contains()) GTEST_SKIP() << "no control groups of version 2 that this process may use";
  }
  ~RealCgroups() override { groups.remove_all(); }
  pid_t spawn(const std::string& script, const GroupLimits& limits = {}) {
    SpawnSpec spec;
    spec.key = {"w", ++generation};
    spec.argv = {"/bin/sh", "-c", script};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.group_limits = limits;
    membership = groups.join("w", limits);
    auto outcome = Spawner({}).spawn(spec, membership);
    if (auto* failure = std::get_if<SpawnFailure>(&outcome)) ADD_FAILURE() << failure->message;
    auto& child = std::get<SpawnedChild>(outcome);
    output = std::move(child.descriptors.output);
    return child.pid;
  }
  static int status_of(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }
  // The script's output, once everything that could write is gone.
  std::string rest() {
    (void)set_nonblocking(output.get(), false);
    return read_all(output.get(), 1 << 20, "pipe").value();
  }

  Cgroups groups;
  Cgroups::Membership membership;
  unique_fd output;
  std::uint64_t generation = 0;
};

TEST_F(RealCgroups, KillAllThatAProcessStarted) {
  const pid_t pid = spawn("setsid sh -c 'setsid sleep 1000 & sleep 1000' & echo up; wait");
  char byte = 0;
  (void)set_nonblocking(output.get(), false);
  ASSERT_EQ(::read(output.get(), &byte, 1), 1);
  EXPECT_TRUE(membership.contained());
  EXPECT_TRUE(groups.kill("w"));
  EXPECT_EQ(WTERMSIG(status_of(pid)), SIGKILL);
  EXPECT_EQ(rest(), "p\n") << "the pipe has ended, so nobody holds it";
}

TEST_F(RealCgroups, StayForTheNextIncarnationAndGoWhenTheyAreEmpty) {
  status_of(spawn("true"));
  const std::string directory = groups.directories().front() + "/p.w";
  EXPECT_TRUE(fs::exists(directory));
  status_of(spawn("true"));
  groups.remove("w");
  EXPECT_FALSE(fs::exists(directory));
}

TEST_F(RealCgroups, AreThawedForTheNextIncarnation) {
  const pid_t pid = spawn("exec sleep 1000");
  ASSERT_TRUE(groups.freeze("w", true));
  ASSERT_TRUE(groups.kill("w"));
  status_of(pid);
  status_of(spawn("true"));  // would stand still for ever, and whoever spawned it too
}

TEST_F(RealCgroups, AreMadeAnewIfTheOldOnesWillHaveNobody) {
  const std::string directory = groups.directories().front() + "/p.w";
  status_of(spawn("mkdir " + directory + "/inner && echo threaded > " + directory + "/inner/cgroup.type"));
  groups.join_anew("w", {});
  EXPECT_FALSE(fs::exists(directory + "/inner"));
  status_of(spawn("true"));
}

TEST_F(RealCgroups, TakeTheNextIncarnationAfterAKill) {
  const pid_t pid = spawn("exec sleep 1000");
  ASSERT_TRUE(groups.kill("w"));
  status_of(pid);
  EXPECT_EQ(status_of(spawn("exit 3")), 3 << 8) << "and do not kill it, too";
  // By somebody else, of whom nobody told: the child is not taken for one that runs.
  std::ofstream(groups.directories().front() + "/p.other/cgroup.kill") << "1";
  SpawnSpec spec;
  spec.key = {"other", 1};
  spec.argv = {"true"};
  (void)groups.join("other", {});
  std::ofstream(groups.directories().front() + "/p.other/cgroup.kill") << "1";
  const auto outcome = Spawner({}).spawn(spec, groups.join("other", {}));
  if (const auto* failure = std::get_if<SpawnFailure>(&outcome)) EXPECT_EQ(failure->stage, SpawnStage::cgroup);
  else EXPECT_EQ(status_of(std::get<SpawnedChild>(outcome).pid), 0) << "a kernel without that flaw";
  const auto again = Spawner({}).spawn(spec, groups.join_anew("other", {}));
  ASSERT_TRUE(std::holds_alternative<SpawnedChild>(again));
  EXPECT_EQ(status_of(std::get<SpawnedChild>(again).pid), 0);
}

TEST_F(RealCgroups, HoldAProcessFromBeforeItsFirstInstruction) {
  status_of(spawn("cat /proc/self/cgroup"));
  EXPECT_NE(rest().find("/p.w\n"), std::string::npos);
}

TEST_F(RealCgroups, SayWhetherAnythingLives) {
  const pid_t pid = spawn("exec sleep 1000");
  EXPECT_TRUE(groups.populated("w"));
  groups.kill("w");
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(groups.populated("w")) << "a zombie does not live";
  status_of(pid);
}

TEST_F(RealCgroups, GoWithThoseThatAProcessMadeWithin) {
  const std::string directory = groups.directories().front() + "/p.w";
  status_of(spawn("mkdir -p " + directory + "/inner/most"));
  groups.remove("w");
  EXPECT_FALSE(fs::exists(directory));
}

TEST_F(RealCgroups, GoLaterIfTheyWereNotEmptyYet) {
  const pid_t pid = spawn("exec sleep 1000");
  const std::string directory = groups.directories().front() + "/p.w";
  groups.remove("w");
  EXPECT_TRUE(fs::exists(directory));
  groups.kill("w");
  status_of(pid);
  groups.remove("another");
  EXPECT_FALSE(fs::exists(directory));
}

TEST_F(RealCgroups, LimitHowManyProcessesThereAre) {
  if (!groups.limits(CgroupController::processes)) GTEST_SKIP() << "no controller pids here";
  // The shell ends with an error of its own when it cannot fork.
  const int status = status_of(spawn("for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; exit 0", {.processes = 3}));
  EXPECT_TRUE(membership.limited[static_cast<std::size_t>(CgroupController::processes)]);
  EXPECT_NE(status, 0);
  groups.kill("w");
}

TEST_F(RealCgroups, CountWhoWasKilledForWantOfMemory) {
  if (!groups.limits(CgroupController::memory)) GTEST_SKIP() << "no controller memory here";
  const std::uint64_t before = groups.out_of_memory_kills("w");
  // Which of the three is killed is the kernel's choice, and so is what becomes of the shell.
  (void)status_of(spawn("head -c 200M /dev/zero | tail", {.memory_bytes = 32u << 20}));
  EXPECT_GT(groups.out_of_memory_kills("w"), before);
}

}  // namespace
}  // namespace tenon::keeper
