#include "app/process_usage.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <latch>
#include <thread>

#include "common/system.hpp"

namespace tenon::app {
namespace {

tenon_usage usage_of(pid_t pid) {
  tenon_usage usage;
  TENON_INIT(&usage);
  EXPECT_TRUE(read_process_usage(pid, usage).ok());
  return usage;
}

void end(pid_t group) {
  ::kill(-group, SIGKILL);
  ::waitpid(group, nullptr, 0);
}

TEST(ProcessUsage, CountsTheProcessAndThoseThatItStarted) {
  const Pipe ready = *make_pipe();
  const pid_t shell = ::fork();
  if (shell == 0) {
    ::setpgid(0, 0);
    ::dup2(ready.write_end.get(), STDOUT_FILENO);
    ::execl("/bin/sh", "sh", "-c", "sleep 1000 & echo; wait", nullptr);
    ::_exit(127);
  }
  char byte;
  ASSERT_EQ(::read(ready.read_end.get(), &byte, 1), 1);
  const tenon_usage both = usage_of(shell);
  EXPECT_EQ(both.process_count, 2u);
  EXPECT_GT(both.memory_bytes, 0u);
  end(shell);
}

TEST(ProcessUsage, FindsWhatAnyOfItsThreadsStarted) {
  std::latch started(1), looked_at(1);
  pid_t child = 0;
  std::thread other([&] {
    child = ::fork();
    if (child == 0) {
      ::setpgid(0, 0);
      for (;;) ::pause();
    }
    started.count_down();
    looked_at.wait();
  });
  started.wait();
  EXPECT_EQ(usage_of(::getpid()).process_count, 2u);
  looked_at.count_down();
  other.join();
  ::setpgid(child, child);
  end(child);
}

TEST(ProcessUsage, IsNotFoundForOneThatIsGone) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  tenon_usage usage;
  TENON_INIT(&usage);
  EXPECT_EQ(read_process_usage(child, usage).error().code, errc::not_found);
}

}  // namespace
}  // namespace tenon::app
