#include "app/crash_handlers.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include "event/alternate_stack.hpp"

namespace tenon::app {

namespace {

// For handlers, which may use nothing else.
std::atomic<keeper::BreadcrumbPage*> g_page{nullptr};

void on_crash(int signal_number, siginfo_t* info, void*) {
  if (keeper::BreadcrumbPage* page = g_page.load()) {
    // Codes up to 0 are of signals that a process sent; abort() and raise() send to themselves.
    const bool from_outside = info->si_code <= 0 && info->si_pid != ::getpid();
    from_outside ? keeper::note_outside_signal(*page) : keeper::note_crash(*page);
  }
  ::signal(signal_number, SIG_DFL);
  ::raise(signal_number);
}

void on_exit_called() {
  if (keeper::BreadcrumbPage* page = g_page.load()) keeper::note_crash(*page);
}

}  // namespace

void take_engine_signals() {
  static const event::AlternateStack stack;
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  for (const int signal_number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS})
    ::sigaction(signal_number, &action, nullptr);
  for (const int signal_number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM})
    ::signal(signal_number, SIG_IGN);
  std::atexit(on_exit_called);
}

void set_crash_page(keeper::BreadcrumbPage* page) noexcept { g_page = page; }

void leave_at_once(int exit_code) noexcept {
  on_exit_called();
  ::_exit(exit_code);
}

void leave_when_destroyed(int exit_code) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  __lsan_do_leak_check();  // which it would have done in exit()
#endif
  std::fflush(nullptr);
  ::_exit(exit_code);
}

}  // namespace tenon::app
