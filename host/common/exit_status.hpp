// How a process ended, and signals by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/wait.h>

namespace tenon {

struct ExitStatus {
  int code = 0;              // exit code 0 … 255; meaningless when signal is not 0
  int signal = 0;            // the signal that killed it; 0 when it exited by itself
  bool core_dumped = false;  // only with a signal

  // From waitid(WEXITED): CLD_EXITED, CLD_KILLED or CLD_DUMPED. Empty for anything else (stopped, continued).
  static std::optional<ExitStatus> from_siginfo(const siginfo_t& info) noexcept;
  // From wait4/waitpid; empty when the process has not ended.
  static std::optional<ExitStatus> from_wait_status(int status) noexcept;

  bool success() const noexcept { return signal == 0 && code == 0; }
  bool signaled() const noexcept { return signal != 0; }
  bool operator==(const ExitStatus&) const = default;
};

// "exit code 3", "signal 9 (KILL)", "signal 11 (SEGV), core dumped".
std::string to_string(const ExitStatus& status);

// "TERM", "RTMIN+3"; "SIG" and the number for what has no name. Never with the prefix SIG otherwise.
std::string signal_name(int number);
// "TERM", "SIGTERM", "term", "15", "RTMIN+3"; empty for anything that is no signal (0 included).
std::optional<int> parse_signal(std::string_view text) noexcept;

}  // namespace tenon
