#include "cli/interruption.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace tenon::cli {

Interruption::Interruption() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGINT);
  ::sigaddset(&wanted, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &wanted, &before_);
  fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Interruption::~Interruption() {
  if (!fd_) return;
  // What was delivered has been obeyed; left pending, it would end the process after all.
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace tenon::cli
