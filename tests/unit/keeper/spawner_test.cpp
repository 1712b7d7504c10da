#include "keeper/spawner.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/system.hpp"
#include "keeper/reaper.hpp"

namespace tenon::keeper {
namespace {

using testing::HasSubstr;

class SpawnerTest : public testing::Test {
 protected:
  static SpawnSpec shell(const std::string& script) {
    SpawnSpec spec;
    spec.key = {"test", 1};
    spec.argv = {"/bin/sh", "-c", script};
    spec.environment = {"PATH=/usr/bin:/bin", "COLOUR=green"};
    return spec;
  }
  SpawnedChild spawned(const SpawnSpec& spec) {
    auto outcome = spawner_.spawn(spec);
    if (auto* failure = std::get_if<SpawnFailure>(&outcome)) ADD_FAILURE() << failure->message;
    return std::holds_alternative<SpawnedChild>(outcome) ? std::move(std::get<SpawnedChild>(outcome)) : SpawnedChild{};
  }
  SpawnFailure failed(const SpawnSpec& spec) {
    auto outcome = spawner_.spawn(spec);
    if (!std::holds_alternative<SpawnFailure>(outcome)) ADD_FAILURE() << "was spawned";
    return std::holds_alternative<SpawnFailure>(outcome) ? std::get<SpawnFailure>(outcome) : SpawnFailure{};
  }
  static std::string read_to_end(const unique_fd& fd) {
    (void)set_nonblocking(fd.get(), false);
    return read_all(fd.get(), 1 << 20, "pipe").value();
  }
  static ExitStatus wait_for(const SpawnedChild& child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child.pid, &status, 0), child.pid);
    return ExitStatus::from_wait_status(status).value();
  }
  std::string output_of(const SpawnSpec& spec) {
    auto child = spawned(spec);
    std::string text = read_to_end(child.descriptors.output);
    (void)wait_for(child);
    return text;
  }
  static std::string temporary_file(const std::string& text, mode_t mode) {
    std::string path = testing::TempDir() + "spawner_test_XXXXXX";
    const unique_fd fd(::mkstemp(path.data()));
    EXPECT_TRUE(write_all(fd.get(), text, path).ok());
    ::fchmod(fd.get(), mode);
    return path;
  }

  Spawner spawner_{OriginalLimits{}};
};

TEST_F(SpawnerTest, GivesExactlyTheEnvironmentAsked) {
  auto spec = shell("");
  spec.argv = {"/usr/bin/env"};
  EXPECT_EQ(output_of(spec), "PATH=/usr/bin:/bin\nCOLOUR=green\n");
}

TEST_F(SpawnerTest, StartsInTheDirectoryAsked) {
  auto spec = shell("pwd");
  spec.directory = "/usr/bin";
  EXPECT_EQ(output_of(spec), "/usr/bin\n");
}

TEST_F(SpawnerTest, SearchesThePathOfTheChild) {
  auto spec = shell("");
  spec.argv = {"echo", "found"};
  EXPECT_EQ(output_of(spec), "found\n");
}

TEST_F(SpawnerTest, SetsLimitsMaskAndPriority) {
  auto spec = shell("ulimit -n; umask; nice");
  spec.limits = {{RLIMIT_NOFILE, 77, 77}};
  spec.file_mode_mask = 027;
  spec.nice = 5;
  EXPECT_EQ(output_of(spec), "77\n0027\n5\n");
}

TEST_F(SpawnerTest, GivesBackTheDescriptorLimitThatTheKeeperRaised) {
  Spawner spawner(OriginalLimits{64, 128, ""});
  auto outcome = spawner.spawn(shell("ulimit -Sn; ulimit -Hn"));
  auto& child = std::get<SpawnedChild>(outcome);
  EXPECT_EQ(read_to_end(child.descriptors.output), "64\n128\n");
  (void)wait_for(child);
}

TEST_F(SpawnerTest, BlocksAndIgnoresNoSignalInTheChild) {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &set, &before);
  spawner_ = Spawner{OriginalLimits{}};
  const std::string status = output_of(shell("exec grep -E 'SigBlk|SigIgn' /proc/self/status"));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(status, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(SpawnerTest, LeaksNoDescriptorIntoTheChild) {
  // What the test inherited is not ours to judge; the keeper marks such descriptors at its start.
  ASSERT_EQ(::syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */), 0);
  const unique_fd ours(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(output_of(shell("ls /proc/$$/fd; true")), "0\n1\n2\n");
}

TEST_F(SpawnerTest, PutsASocketChannelOnDescriptorThree) {
  auto spec = shell("read line <&3; echo \"got $line\" >&3");
  spec.channel = ChannelKind::socket;
  auto child = spawned(spec);
  ASSERT_TRUE(child.descriptors.channel.valid());
  EXPECT_FALSE(child.descriptors.input.valid());
  (void)set_nonblocking(child.descriptors.channel.get(), false);
  ASSERT_TRUE(write_all(child.descriptors.channel.get(), "hello\n", "channel").ok());
  EXPECT_EQ(read_to_end(child.descriptors.channel), "got hello\n");
  EXPECT_TRUE(wait_for(child).success());
}

TEST_F(SpawnerTest, ConnectsStdioChannelAndStderr) {
  auto spec = shell("read line; echo \"out $line\"; echo err >&2");
  spec.channel = ChannelKind::stdio;
  auto child = spawned(spec);
  ASSERT_TRUE(write_all(child.descriptors.input.get(), "x\n", "stdin").ok());
  EXPECT_EQ(read_to_end(child.descriptors.output), "out x\n");
  EXPECT_EQ(read_to_end(child.descriptors.error), "err\n");
  (void)wait_for(child);
}

TEST_F(SpawnerTest, DropsThePrivilegesOfRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  auto spec = shell("id -u; id -g; id -G; grep NoNewPrivs /proc/$$/status");
  spec.uid = 65534;
  spec.gid = 65534;
  spec.no_new_privileges = true;
  EXPECT_EQ(output_of(spec), "65534\n65534\n65534\nNoNewPrivs:\t1\n");
}

TEST_F(SpawnerTest, GivesTheChildItsOwnSessionAndGroup) {
  auto spec = shell("read forever");
  spec.channel = ChannelKind::stdio;
  auto child = spawned(spec);
  EXPECT_EQ(::getpgid(child.pid), child.pid);
  EXPECT_EQ(::getsid(child.pid), child.pid);
  ::kill(child.pid, SIGKILL);
  EXPECT_EQ(wait_for(child).signal, SIGKILL);
}

// The child shares the descriptor table until it takes its own: what it does there must not show here.
TEST_F(SpawnerTest, KeepsItsOwnDescriptorsWhateverTheChildIsGiven) {
  const unique_fd witness(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  struct stat input {}, ours {};
  ASSERT_EQ(::fstat(0, &input), 0);
  ASSERT_EQ(::fstat(witness.get(), &ours), 0);
  auto spec = shell("read line <&3; exit 0");
  spec.channel = ChannelKind::socket;
  auto child = spawned(spec);
  struct stat input_now {}, ours_now {};
  ASSERT_EQ(::fstat(0, &input_now), 0);
  ASSERT_EQ(::fstat(witness.get(), &ours_now), 0);
  EXPECT_EQ(input.st_ino, input_now.st_ino);
  EXPECT_EQ(ours.st_ino, ours_now.st_ino);
  ASSERT_TRUE(write_all(child.descriptors.channel.get(), "x\n", "channel").ok());
  EXPECT_TRUE(wait_for(child).success());
}

// A write end left open in the parent would keep the pipe from ending.
TEST_F(SpawnerTest, KeepsNoEndOfTheChilds) {
  auto spec = shell("exec >&- 2>&-; read line <&3");
  spec.channel = ChannelKind::socket;
  auto child = spawned(spec);
  EXPECT_EQ(read_to_end(child.descriptors.output), "");
  EXPECT_EQ(read_to_end(child.descriptors.error), "");
  child.descriptors.channel.reset();
  EXPECT_EQ(wait_for(child).code, 1);
}

TEST_F(SpawnerTest, SpawnsWithThousandsOfDescriptorsOpen) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  std::vector<unique_fd> many;
  while (many.size() + 100 < std::min<rlim_t>(files.rlim_cur, 5000)) many.emplace_back(::fcntl(0, F_DUPFD_CLOEXEC, 0));
  EXPECT_EQ(output_of(shell("ls /proc/$$/fd; true")), "0\n1\n2\n");
}

TEST_F(SpawnerTest, MergesStderrIntoTheSamePipeAsStdout) {
  auto spec = shell("echo one; echo two >&2; echo three");
  spec.standard_error = OutputMode::merge;
  auto child = spawned(spec);
  EXPECT_FALSE(child.descriptors.error.valid());
  EXPECT_EQ(read_to_end(child.descriptors.output), "one\ntwo\nthree\n");
  (void)wait_for(child);
  spec.standard_output = OutputMode::merge;
  EXPECT_EQ(failed(spec).stage, SpawnStage::refused);
}

// Else no engine could be started any more, and nothing handed over to it.
TEST_F(SpawnerTest, LeavesTheReserveOfDescriptorsAlone) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{kReservedDescriptors + 100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const Spawner spawner{OriginalLimits{}};
  std::vector<SpawnedChild> children;
  SpawnFailure failure;
  while (children.size() < 100) {
    auto outcome = spawner.spawn(shell("exec sleep 1000"));
    if (auto* failed = std::get_if<SpawnFailure>(&outcome)) {
      failure = std::move(*failed);
      break;
    }
    children.push_back(std::move(std::get<SpawnedChild>(outcome)));
  }
  std::vector<unique_fd> free;
  while (free.size() < 1000 && free.emplace_back(::fcntl(0, F_DUPFD_CLOEXEC, 0)).valid()) {
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(failure.error_number, EMFILE) << failure.message;
  EXPECT_THAT(failure.message, HasSubstr("limit"));
  EXPECT_GE(children.size(), 30u);
  EXPECT_GE(free.size(), kReservedDescriptors);
  for (const SpawnedChild& child : children) {
    ::kill(child.pid, SIGKILL);
    (void)wait_for(child);
  }
}

TEST_F(SpawnerTest, NamesAMissingProgramOfThePath) {
  auto spec = shell("");
  spec.argv = {"no-such-program-here"};
  const auto failure = failed(spec);
  EXPECT_EQ(failure.stage, SpawnStage::exec);
  EXPECT_EQ(failure.error_number, ENOENT);
  EXPECT_THAT(failure.message, HasSubstr("\"no-such-program-here\" was not found in any of the 2 directories"));
  EXPECT_EQ(failure.message.find("/usr/bin"), std::string::npos) << "values of the environment are told to nobody";
}

TEST_F(SpawnerTest, NamesAMissingProgramFile) {
  auto spec = shell("");
  spec.argv = {"/no/such/file"};
  EXPECT_THAT(failed(spec).message, HasSubstr("\"/no/such/file\" does not exist"));
}

TEST_F(SpawnerTest, TellsAMissingInterpreterFromAMissingScript) {
  auto spec = shell("");
  spec.argv = {temporary_file("#!/no/such/interpreter\n", 0755)};
  EXPECT_THAT(failed(spec).message, HasSubstr("exists, but its interpreter"));
  ::unlink(spec.argv[0].c_str());
}

TEST_F(SpawnerTest, NamesAFileThatIsNotExecutable) {
  auto spec = shell("");
  spec.argv = {temporary_file("#!/bin/sh\n", 0644)};
  const auto failure = failed(spec);
  EXPECT_EQ(failure.error_number, EACCES);
  EXPECT_THAT(failure.message, HasSubstr("chmod +x"));
  ::unlink(spec.argv[0].c_str());
}

TEST_F(SpawnerTest, NamesAFileThatIsNoProgram) {
  auto spec = shell("");
  spec.argv = {temporary_file("hello\n", 0755)};
  EXPECT_EQ(failed(spec).error_number, ENOEXEC);
  ::unlink(spec.argv[0].c_str());
}

TEST_F(SpawnerTest, NamesAMissingDirectory) {
  auto spec = shell("true");
  spec.directory = "/no/such/directory";
  const auto failure = failed(spec);
  EXPECT_EQ(failure.stage, SpawnStage::chdir);
  EXPECT_EQ(failure.error_number, ENOENT);
  EXPECT_THAT(failure.message, HasSubstr("/no/such/directory"));
}

TEST_F(SpawnerTest, RefusesASpecThatMakesNoSense) {
  auto spec = shell("true");
  spec.argv.clear();
  EXPECT_EQ(failed(spec).stage, SpawnStage::refused);
  spec = shell(std::string("a\0b", 3));
  EXPECT_EQ(failed(spec).stage, SpawnStage::refused);
  spec = shell("true");
  spec.stop.signal_number = 1000;
  EXPECT_EQ(failed(spec).stage, SpawnStage::refused);
}

TEST_F(SpawnerTest, LeavesNoZombieOfAFailedSpawn) {
  auto spec = shell("");
  spec.argv = {"/no/such/file"};
  (void)failed(spec);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(SpawnerTest, KillsTheChildWhenItsParentDies) {
  int report[2];
  ASSERT_EQ(::pipe2(report, O_CLOEXEC), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    Spawner spawner(OriginalLimits{});
    auto outcome = spawner.spawn(shell("exec sleep 1000"));
    auto* child = std::get_if<SpawnedChild>(&outcome);
    const pid_t pid = child ? child->pid : -1;
    (void)!::write(report[1], &pid, sizeof pid);
    for (;;) ::pause();
  }
  pid_t grandchild = -1;
  ASSERT_EQ(::read(report[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  ASSERT_GT(grandchild, 0);
  const unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, grandchild, 0)));
  ::kill(middle, SIGKILL);
  ::waitpid(middle, nullptr, 0);
  pollfd waiting{pidfd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 10000), 1);
  ::close(report[0]);
  ::close(report[1]);
}

TEST(Reaper, LetsTheGroupDieBeforeTheLeaderIsGone) {
  Spawner spawner(OriginalLimits{});
  SpawnSpec spec;
  spec.key = {"test", 1};
  spec.argv = {"/bin/sh", "-c", "sleep 1000 & echo $!"};
  spec.environment = {"PATH=/usr/bin:/bin"};
  spec.standard_error = OutputMode::discard;
  auto outcome = spawner.spawn(spec);
  auto& child = std::get<SpawnedChild>(outcome);
  const unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  pollfd dead{pidfd.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&dead, 1, 10000), 1);
  pid_t seen = -1;
  auto reaped = reap_one([&](pid_t pid) {
    seen = pid;
    ::kill(-pid, SIGKILL);
    return true;
  });
  ASSERT_TRUE(reaped.has_value());
  EXPECT_EQ(seen, child.pid);
  EXPECT_EQ(reaped->pid, child.pid);
  EXPECT_TRUE(reaped->exit.status.success());
  EXPECT_GT(reaped->exit.max_resident_bytes, 0u);
  // The grandchild held the pipe open: its end is the end of the pipe.
  (void)set_nonblocking(child.descriptors.output.get(), false);
  EXPECT_TRUE(read_all(child.descriptors.output.get(), 4096, "pipe").ok());
}

TEST(Reaper, FindsNothingWhereNothingDied) {
  EXPECT_FALSE(reap_one([](pid_t) { return ADD_FAILURE(), true; }).has_value());
}

TEST(ProgramCandidates, LeaveOutRelativeAndEmptyDirectories) {
  EXPECT_THAT(program_candidates("x", {"PATH=:/a:.:b:/c:"}), testing::ElementsAre("/a/x", "/c/x"));
  EXPECT_THAT(program_candidates("./x", {"PATH=/a"}), testing::ElementsAre("./x"));
  EXPECT_EQ(program_candidates("x", {}).back(), "/bin/x");
}

// ---- sd_notify ----

TEST_F(SpawnerTest, GivesAProcessASocketToSpeakOfItself) {
  SpawnSpec spec = shell("echo $NOTIFY_SOCKET");
  spec.notify = true;
  auto child = spawned(spec);
  std::string name = read_to_end(child.descriptors.output);
  (void)wait_for(child);
  ASSERT_TRUE(name.starts_with("@tenon/notify/")) << name;
  name.pop_back();  // the line's end

  unique_fd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size() - 1, 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  ASSERT_EQ(::sendto(sender.get(), "READY=1", 7, 0, reinterpret_cast<sockaddr*>(&address), size), 7);
  char text[16] = {};
  EXPECT_EQ(::recv(child.descriptors.notify.get(), text, sizeof text, MSG_DONTWAIT), 7);
  EXPECT_STREQ(text, "READY=1");
}

TEST_F(SpawnerTest, MakesNoSuchSocketUnasked) {
  EXPECT_EQ(output_of(shell("echo \"<$NOTIFY_SOCKET>\"")), "<>\n");
}

}  // namespace
}  // namespace tenon::keeper
