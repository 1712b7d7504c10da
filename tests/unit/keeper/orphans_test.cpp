#include "keeper/orphans.hpp"

#include <algorithm>
#include <csignal>
#include <sched.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "common/system.hpp"

namespace tenon::keeper {
namespace {

using namespace std::string_literals;

TEST(Orphans, AreKnownByTheirCookie) {
  const ProcessKey key{"counter.1", 7};
  EXPECT_EQ(run_cookie("abc", key), "TENON_RUN=abc/counter.1#7");
  EXPECT_EQ(owner_by_cookie("A=1\0TENON_RUN=abc/counter.1#7\0B=2\0"s, "abc"), key);
  EXPECT_EQ(owner_by_cookie("TENON_RUN=abc/@engine/3#12\0"s, "abc"), (ProcessKey{"@engine/3", 12}));
}

TEST(Orphans, OfOtherRunsAreNotOurs) {
  for (const std::string& text : {""s, "TENON_RUN=abcd/x#1\0"s, "TENON_RUN=ab/x#1\0"s, "XTENON_RUN=abc/x#1\0"s, "TENON_RUN\0"s,
                                  "TENON_RUN=\0"s, "TENON_RUN=abc\0"s, "TENON_RUN=abc/x\0"s, "TENON_RUN=abc/x#\0"s,
                                  "TENON_RUN=abc/x#1y\0"s, "TENON_RUNS=abc/x#1\0"s})
    EXPECT_EQ(owner_by_cookie(text, "abc"), std::nullopt) << text;
}

TEST(Orphans, AreAmongTheChildrenOfTheirParent) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const auto children = children_of(::getpid());
  EXPECT_NE(std::find(children.begin(), children.end(), child), children.end());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const auto after = children_of(::getpid());
  EXPECT_EQ(std::find(after.begin(), after.end(), child), after.end());
}

// As one that executes another program just now.
TEST(Orphans, WithoutAnEnvironmentAreLookedAtOnceMore) {
  const pid_t child = ::fork();
  if (child == 0) {
    const char* argv[] = {"/bin/sleep", "1000", nullptr};
    char* environment[] = {nullptr};
    ::execve("/bin/sleep", const_cast<char* const*>(argv), environment);
    ::_exit(127);
  }
  while (read_file("/proc/" + std::to_string(child) + "/comm", 64).value() != "sleep\n") ::sched_yield();
  OwnerSearch search("some run");
  EXPECT_FALSE(search.owner_of(::getpid()));
  EXPECT_FALSE(search.may_have_missed_one());
  EXPECT_FALSE(search.owner_of(child));
  EXPECT_TRUE(search.may_have_missed_one());
  EXPECT_FALSE(search.owner_of(child));
  EXPECT_FALSE(search.may_have_missed_one()) << "it has none for good";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(Orphans, OfAWholeRunAreKilledWhereverTheyStand) {
  const std::string run = "orphans_test_" + std::to_string(::getpid());
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string cookie = run_cookie(run, {"w", 1});
    char* environment[] = {const_cast<char*>(cookie.c_str()), nullptr};
    const char* argv[] = {"/bin/sh", "-c", "/usr/bin/setsid /bin/sleep 1000 & exec /bin/sleep 1000", nullptr};
    ::execve("/bin/sh", const_cast<char* const*>(argv), environment);
    ::_exit(127);
  }
  siginfo_t ended{};
  while (!owner_of(child, run)) {  // until it has executed, or could not
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT), 0);
    ASSERT_EQ(ended.si_pid, 0) << "it ended";
    ::sched_yield();
  }
  EXPECT_EQ(kill_whole_run(run, 1000), 0u);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

}  // namespace
}  // namespace tenon::keeper
