#include "cli/interruption.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace tenon::cli {

Interruption::Interruption(std::initializer_list<int> signals) {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int number : signals) ::sigaddset(&wanted, number);
  ::pthread_sigmask(SIG_BLOCK, &wanted, &before_);
  fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Interruption::take() const noexcept {
  signalfd_siginfo info;
  if (!fd_ || ::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

Interruption::~Interruption() {
  if (!fd_) return;
  // What was delivered has been obeyed; left pending, it would end the process after all.
  while (take()) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace tenon::cli
