#include "keeper/host_process.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/system.hpp"

namespace tenon::keeper {
namespace {

constexpr const char* kOomScoreFile = "/proc/self/oom_score_adj";

Status fill_standard_descriptors() {
  for (;;) {
    const int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0) return Error::from_errno(errno, "open /dev/null");
    if (fd > 2) {
      ::close(fd);
      return {};
    }
    (void)::fcntl(fd, F_SETFD, 0);
  }
}

// Returns what stood there before; empty if nothing was changed.
std::string lower_oom_score() {
  auto before = read_file(kOomScoreFile, 64);
  if (!before) return {};
  unique_fd file(::open(kOomScoreFile, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), "-900", 4) != 4) return {};  // only root may lower it
  return std::move(*before);
}

Result<unique_fd> take_signals() {
  // Whatever else could end the keeper by a stray signal would end every process with it. What a program does to itself
  // (SEGV and its like) and a terminal's stop stay what they are. Handled, not ignored: execve gives children the
  // default back, which would cost each of them a call a signal.
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  for (int number :
       {SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGXCPU, SIGXFSZ}) {
    ::sigaction(number, &nothing, nullptr);
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) ::sigaction(number, &nothing, nullptr);
  sigset_t wanted;
  sigemptyset(&wanted);
  for (int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    // A parent that ignores SIGCHLD makes us ignore it too, and the kernel would then reap without telling.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(number, &standard, nullptr);
    sigaddset(&wanted, number);
  }
  if (::sigprocmask(SIG_BLOCK, &wanted, nullptr) != 0) return Error::from_errno(errno, "block signals");
  unique_fd signals(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return Error::from_errno(errno, "make a signalfd");
  return signals;
}

}  // namespace

Result<HostProcess> prepare_host_process() {
  HostProcess host;
  host.sockets = InheritedSockets::take();
  TENON_TRY(fill_standard_descriptors());
  // Before Linux 5.11 the flag is unknown; descriptors that the caller left open then leak into children, as they would
  // from any program.
  (void)::syscall(SYS_close_range, 3u, ~0u, static_cast<unsigned>(CLOSE_RANGE_CLOEXEC));

  host.binary.reset(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!host.binary) return Error::from_errno(errno, "open /proc/self/exe; is /proc mounted?");

  rlimit before{};
  if (::getrlimit(RLIMIT_NOFILE, &before) == 0 && raise_descriptor_limit().ok()) {
    host.original.open_files_soft = before.rlim_cur;
    host.original.open_files_hard = before.rlim_max;
  }
  host.original.oom_score = lower_oom_score();
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return Error::from_errno(errno, "become a child subreaper");

  auto signals = take_signals();
  if (!signals) return std::move(signals).error();
  host.signals = std::move(*signals);
  return host;
}

}  // namespace tenon::keeper
