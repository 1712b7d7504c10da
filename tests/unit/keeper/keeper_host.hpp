// A whole keeper in a process of its own, with engines that a test drives (scripted_engine.hpp).
#pragma once

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "common/exit_status.hpp"
#include "common/unique_fd.hpp"
#include "scripted_engine.hpp"

namespace tenon::keeper {

inline constexpr int kPatienceMs = 10'000;  // until a test gives up on an event that must come

inline bool readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, kPatienceMs) == 1;
}

// A process that the test watches but that is not its child.
class WatchedProcess {
 public:
  explicit WatchedProcess(pid_t pid) : pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  bool ended() const { return !pidfd_.valid() || readable(pidfd_.get()); }
  bool runs() const {
    pollfd now{pidfd_.get(), POLLIN, 0};
    return pidfd_.valid() && ::poll(&now, 1, 0) == 0;
  }

 private:
  unique_fd pidfd_;
};

// One engine, as the test sees it.
class EngineHandle {
 public:
  explicit EngineHandle(unique_fd control) : control_(std::move(control)) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (control_) ::getsockopt(control_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
    pid_ = peer.pid;
  }
  pid_t pid() const { return pid_; }
  void tell(const std::string& command) {
    ASSERT_EQ(::send(control_.get(), command.data(), command.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(command.size()));
  }
  // The next thing it says; "<gone>" if it ended, "<silent>" if nothing comes.
  std::string hear() {
    if (!readable(control_.get())) return "<silent>";
    char buffer[65536];
    const ssize_t size = ::recv(control_.get(), buffer, sizeof buffer, 0);
    return size <= 0 ? "<gone>" : std::string(buffer, static_cast<std::size_t>(size));
  }
  std::string ask(const std::string& command) {
    tell(command);
    return hear();
  }
  // Starts a shell script with a stdio channel and waits until it has said "ready"; its pid.
  pid_t spawn(const std::string& id, const std::string& script, int rank = 0, int grace_ms = 10'000,
              const std::string& kind = "plain") {
    const std::string said = ask("spawn " + id + " 1 " + std::to_string(rank) + " " + std::to_string(grace_ms) + " " +
                                 kind + " " + script);
    const std::string expected = "spawned " + id + "#1 ";
    EXPECT_EQ(said.substr(0, expected.size()), expected);
    EXPECT_EQ(ask("read " + id + " 1"), "line ready");
    return said.size() > expected.size() ? std::stoi(said.substr(expected.size())) : -1;
  }

 private:
  unique_fd control_;
  pid_t pid_ = -1;
};

class KeeperTest : public testing::Test {
 protected:
  struct Options {
    int shutdown_ms = 60'000, hang_ms = 60'000, greeting_ms = 60'000, unavailable_ms = 60'000;
    int last_engine = 0;       // 0: all engines live
    bool pid_namespace = false;
  };

  KeeperTest() {
    directory_ = testing::TempDir() + "keeper_test_XXXXXX";
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    control_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (directory_ + "/control").copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(control_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(control_.get(), 64), 0);
  }
  ~KeeperTest() override {
    if (keeper_ > 0) {
      ::kill(keeper_, SIGKILL);
      ::waitpid(keeper_, nullptr, 0);
    }
    (void)::system(("rm -rf '" + directory_ + "'").c_str());
  }

  void start(const Options& options) {
    ::setenv(kControlVariable, (directory_ + "/control").c_str(), 1);
    ::setenv(kKeeperVariable,
             (std::to_string(options.shutdown_ms) + " " + std::to_string(options.hang_ms) + " " +
              std::to_string(options.greeting_ms) + " " + std::to_string(options.unavailable_ms)).c_str(), 1);
    if (options.last_engine) ::setenv(kLastEngineVariable, std::to_string(options.last_engine).c_str(), 1);
    const unsigned long flags = options.pid_namespace ? CLONE_NEWPID : 0;
    keeper_ = static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (keeper_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execl("/proc/self/exe", "unit_keeper", nullptr);
      ::_exit(127);
    }
    for (auto name : {kControlVariable, kKeeperVariable, kLastEngineVariable}) ::unsetenv(name);
  }
  void start() { start(Options{}); }

  // The next engine that comes, and what it says when it has adopted everything.
  EngineHandle next_engine(std::string* adopted = nullptr) {
    EXPECT_TRUE(readable(control_.get())) << "no engine came";
    EngineHandle engine(unique_fd(::accept4(control_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    const std::string said = engine.hear();
    EXPECT_EQ(said.substr(0, 7), "adopted") << said;
    if (adopted) *adopted = said;
    return engine;
  }

  ExitStatus keeper_ends() {
    const unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, keeper_, 0)));
    EXPECT_TRUE(readable(pidfd.get())) << "the keeper does not end";
    int status = 0;
    EXPECT_EQ(::waitpid(std::exchange(keeper_, -1), &status, 0) > 0, true);
    return ExitStatus::from_wait_status(status).value_or(ExitStatus{-1, 0, false});
  }
  bool exists(const std::string& file) const { return ::access((directory_ + "/" + file).c_str(), F_OK) == 0; }

  std::string directory_;
  unique_fd control_;
  pid_t keeper_ = -1;
};

}  // namespace tenon::keeper
