#include "common/exit_status.hpp"

#include <csignal>
#include <sys/types.h>
#include <unistd.h>

namespace tenon {
namespace {

// Forks a child that ends as told; returns what waitid and wait4 say of it.
template <class End>
std::pair<std::optional<ExitStatus>, std::optional<ExitStatus>> status_of(End end) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    end();
    ::_exit(99);
  }
  siginfo_t info{};
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return {ExitStatus::from_siginfo(info), ExitStatus::from_wait_status(status)};
}

TEST(ExitStatus, ReadsAnExitCodeFromBothCalls) {
  const auto [from_info, from_status] = status_of([] { ::_exit(3); });
  EXPECT_EQ(from_info, (ExitStatus{.code = 3}));
  EXPECT_EQ(from_status, from_info);
  EXPECT_FALSE(from_info->success());
  EXPECT_EQ(to_string(*from_info), "exit code 3");
}

TEST(ExitStatus, ReadsASignalFromBothCalls) {
  const auto [from_info, from_status] = status_of([] { ::raise(SIGKILL); });
  EXPECT_EQ(from_info, (ExitStatus{.signal = SIGKILL}));
  EXPECT_EQ(from_status, from_info);
  EXPECT_EQ(to_string(*from_info), "signal 9 (KILL)");
}

TEST(ExitStatus, KnowsSuccess) {
  EXPECT_TRUE(ExitStatus{}.success());
  EXPECT_FALSE((ExitStatus{.signal = SIGTERM}).success());
}

TEST(ExitStatus, TellsACoreDump) {
  siginfo_t info{};
  info.si_code = CLD_DUMPED;
  info.si_status = SIGSEGV;
  EXPECT_EQ(to_string(*ExitStatus::from_siginfo(info)), "signal 11 (SEGV), core dumped");
  EXPECT_TRUE(ExitStatus::from_wait_status(SIGSEGV | 0x80)->core_dumped);
}

TEST(ExitStatus, IsNothingForAProcessThatOnlyStopped) {
  siginfo_t info{};
  info.si_code = CLD_STOPPED;
  EXPECT_EQ(ExitStatus::from_siginfo(info), std::nullopt);
  EXPECT_EQ(ExitStatus::from_wait_status(SIGSTOP << 8 | 0x7F), std::nullopt);
}

TEST(SignalName, ParsesBackForEverySignal) {
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (number > 31 && number < SIGRTMIN) continue;
    EXPECT_EQ(parse_signal(signal_name(number)), number) << signal_name(number);
    EXPECT_EQ(parse_signal(std::to_string(number)), number);
  }
  EXPECT_EQ(signal_name(SIGTERM), "TERM");
  EXPECT_EQ(signal_name(SIGRTMIN), "RTMIN");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "RTMIN+3");
  EXPECT_EQ(signal_name(999), "SIG999");
}

TEST(ParseSignal, TakesTheUsualSpellings) {
  EXPECT_EQ(parse_signal("TERM"), SIGTERM);
  EXPECT_EQ(parse_signal("SIGTERM"), SIGTERM);
  EXPECT_EQ(parse_signal("sigterm"), SIGTERM);
  EXPECT_EQ(parse_signal("15"), SIGTERM);
  EXPECT_EQ(parse_signal("SIGRTMAX-1"), SIGRTMAX - 1);
  EXPECT_EQ(parse_signal("IOT"), SIGABRT);
  EXPECT_EQ(parse_signal("CLD"), SIGCHLD);
}

TEST(ParseSignal, RefusesWhatIsNone) {
  for (const char* text : {"", "0", "-1", "65", "32", "999999999999", "SIG", "TERMS", "15 ", "RTMIN+", "RTMIN-1",
                           "RTMIN+99", "RTMAX+1", "averyveryverylongname"}) {
    EXPECT_EQ(parse_signal(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tenon
