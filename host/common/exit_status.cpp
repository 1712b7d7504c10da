#include "common/exit_status.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

namespace tenon {

namespace {

struct Alias {
  std::string_view name;
  int number;
};
// Names that people use beside the one glibc prefers.
constexpr Alias kAliases[] = {{"IOT", SIGABRT}, {"CLD", SIGCHLD}, {"IO", SIGIO}, {"POLL", SIGPOLL}};

bool is_signal(int number) noexcept {
  // The numbers between the classic and the real-time signals belong to the C library.
  return (number >= 1 && number <= 31) || (number >= SIGRTMIN && number <= SIGRTMAX);
}

std::optional<int> parse_number(std::string_view text) noexcept {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "RTMIN", "RTMIN+3", "RTMAX-1".
std::optional<int> parse_real_time(std::string_view name) noexcept {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return std::nullopt;
  int number = from_min ? SIGRTMIN : SIGRTMAX;
  name.remove_prefix(5);
  if (name.empty()) return number;
  if (name[0] != (from_min ? '+' : '-')) return std::nullopt;
  const auto distance = parse_number(name.substr(1));
  if (!distance || *distance < 0 || *distance > 64) return std::nullopt;
  number += from_min ? *distance : -*distance;
  if (number < SIGRTMIN || number > SIGRTMAX) return std::nullopt;
  return number;
}

}  // namespace

std::optional<ExitStatus> ExitStatus::from_siginfo(const siginfo_t& info) noexcept {
  switch (info.si_code) {
    case CLD_EXITED: return ExitStatus{.code = info.si_status & 0xFF};
    case CLD_KILLED: return ExitStatus{.signal = info.si_status};
    case CLD_DUMPED: return ExitStatus{.signal = info.si_status, .core_dumped = true};
    default: return std::nullopt;
  }
}

std::optional<ExitStatus> ExitStatus::from_wait_status(int status) noexcept {
  if (WIFEXITED(status)) return ExitStatus{.code = WEXITSTATUS(status)};
  if (WIFSIGNALED(status)) return ExitStatus{.signal = WTERMSIG(status), .core_dumped = WCOREDUMP(status) != 0};
  return std::nullopt;
}

std::string to_string(const ExitStatus& status) {
  if (!status.signaled()) return "exit code " + std::to_string(status.code);
  std::string out = "signal " + std::to_string(status.signal) + " (" + signal_name(status.signal) + ")";
  if (status.core_dumped) out += ", core dumped";
  return out;
}

std::string signal_name(int number) {
  if (const char* name = ::sigabbrev_np(number)) return name;
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    return number == SIGRTMIN ? "RTMIN" : "RTMIN+" + std::to_string(number - SIGRTMIN);
  }
  return "SIG" + std::to_string(number);
}

std::optional<int> parse_signal(std::string_view text) noexcept {
  if (const auto number = parse_number(text)) return is_signal(*number) ? number : std::nullopt;
  char upper[16];
  if (text.size() >= sizeof upper) return std::nullopt;
  std::transform(text.begin(), text.end(), upper,
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  std::string_view name(upper, text.size());
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number <= 31; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  for (const Alias& alias : kAliases) {
    if (name == alias.name) return alias.number;
  }
  return parse_real_time(name);
}

}  // namespace tenon
