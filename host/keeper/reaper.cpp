#include "keeper/reaper.hpp"

#include <cerrno>
#include <sys/resource.h>
#include <sys/wait.h>

namespace tenon::keeper {
namespace {

std::chrono::nanoseconds duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

std::optional<Reaped> reap_one(const std::function<bool(pid_t)>& before, pid_t pid) {
  siginfo_t info{};
  while (::waitid(pid == kAnyChild ? P_ALL : P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    if (errno != EINTR) return std::nullopt;  // ECHILD: there is no such child
  }
  if (info.si_pid == 0) return std::nullopt;
  if (!before(info.si_pid)) return std::nullopt;

  Reaped reaped;
  int status = 0;
  rusage usage{};
  reaped.pid = ::wait4(info.si_pid, &status, WNOHANG, &usage);
  if (reaped.pid != info.si_pid) return std::nullopt;
  reaped.exit.status = ExitStatus::from_wait_status(status).value_or(ExitStatus{});
  reaped.exit.user_cpu = duration_of(usage.ru_utime);
  reaped.exit.system_cpu = duration_of(usage.ru_stime);
  reaped.exit.max_resident_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return reaped;
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

std::optional<bool> stopped_or_continued(pid_t pid) {
  std::optional<bool> last;
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WCONTINUED | WNOHANG) == 0 && info.si_pid != 0) {
    last = info.si_code == CLD_STOPPED;
    info = {};
  }
  return last;
}

}  // namespace tenon::keeper
