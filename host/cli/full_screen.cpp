#include "cli/full_screen.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

// The alternate screen, no cursor, no wrapping. CAN first: it ends a sequence that was cut off.
constexpr std::string_view kEnter = "\x18\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x18\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

// For crashes, whose handler may use nothing else.
volatile sig_atomic_t crash_terminal = -1;
termios crash_modes;
constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

void leave_by_crash(int number) {
  // SA_RESETHAND: the signal is done as it would have been, now with the terminal usable.
  if (const int fd = crash_terminal; fd >= 0) {
    (void)!::write(fd, kLeave.data(), kLeave.size());
    ::tcsetattr(fd, TCSANOW, &crash_modes);
  }
  ::raise(number);
}

struct sigaction actions_before[std::size(kCrashes)];

void watch_for_crashes() {
  struct sigaction action {};
  action.sa_handler = leave_by_crash;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < std::size(kCrashes); ++i) ::sigaction(kCrashes[i], &action, &actions_before[i]);
}

void stop_watching_for_crashes() {
  for (std::size_t i = 0; i < std::size(kCrashes); ++i) ::sigaction(kCrashes[i], &actions_before[i], nullptr);
}

// A description of our own, so that O_NONBLOCK is nobody else's affair; the shell shares the one that we were given.
unique_fd open_again(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return unique_fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

bool is_capable() {
  const char* kind = std::getenv("TERM");
  return kind != nullptr && *kind != '\0' && std::strcmp(kind, "dumb") != 0;
}

void set_modes(int fd, const termios& modes) {
  // From the background this stops us with SIGTTOU; continued, it is to be done after all.
  while (::tcsetattr(fd, TCSANOW, &modes) != 0 && errno == EINTR) {
  }
}

}  // namespace

Result<std::unique_ptr<FullScreen>> FullScreen::open(int fd) {
  const std::string advice = "; tenon top -n 1 prints the processes once";
  if (!is_capable())
    return Error(errc::unsupported, "TERM names no terminal with a full screen" + advice, fault::caller);
  unique_fd terminal = open_again(fd);
  // Another user's terminal, after su: what was inherited still works, if it can be read.
  if (!terminal) terminal.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  termios before;
  const bool readable = terminal && (::fcntl(terminal.get(), F_GETFL) & O_ACCMODE) == O_RDWR;
  if (!readable || ::tcgetattr(terminal.get(), &before) != 0)
    return Error(errc::unsupported, "this terminal gives no keys to tenon top" + advice, fault::caller);
  return std::unique_ptr<FullScreen>(new FullScreen(std::move(terminal), before));
}

FullScreen::~FullScreen() { leave(); }

void FullScreen::enter() {
  termios modes = before_;
  modes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  modes.c_iflag &= ~static_cast<tcflag_t>(IXON);  // Ctrl-S would stop the picture
  modes.c_cc[VMIN] = 1, modes.c_cc[VTIME] = 0;
  crash_modes = before_;
  crash_terminal = terminal_.get();
  if (!entered_) watch_for_crashes();
  entered_ = true;
  set_modes(terminal_.get(), modes);
  unwritten_ = kEnter;
  known_ = false;
  writable();
}

void FullScreen::leave() {
  if (!entered_) return;
  entered_ = false;
  write_patiently(unwritten_ + std::string(kLeave));
  unwritten_.clear();
  ::tcflush(terminal_.get(), TCIFLUSH);  // keys meant for us are not for the shell
  set_modes(terminal_.get(), before_);
  crash_terminal = -1;
  stop_watching_for_crashes();
}

void FullScreen::suspend() {
  leave();
  sigset_t stop, before;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);  // stays pending as long as it is waited for by a descriptor
  ::pthread_sigmask(SIG_UNBLOCK, &stop, &before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  enter();
}

ScreenSize FullScreen::size() const {
  winsize window{};
  if (::ioctl(terminal_.get(), TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
  return {std::min<std::size_t>(window.ws_col, 1000), std::min<std::size_t>(window.ws_row, 1000)};
}

FullScreen::Input FullScreen::read() {
  char bytes[1024];
  const ssize_t size = ::read(terminal_.get(), bytes, sizeof bytes);
  if (size > 0) return {std::string(bytes, static_cast<std::size_t>(size))};
  return {.ended = size == 0 || (errno != EAGAIN && errno != EINTR)};
}

void FullScreen::show(Screen screen) {
  if (writing()) return;
  const ScreenSize now = size();
  const bool whole = !known_ || now != drawn_for_;
  unwritten_ = repaint(shown_, screen, now.columns, whole);
  shown_ = std::move(screen);
  drawn_for_ = now;
  known_ = true;
  writable();
}

void FullScreen::writable() {
  if (unwritten_.empty()) return;
  const ssize_t size = ::write(terminal_.get(), unwritten_.data(), unwritten_.size());
  if (size >= 0) unwritten_.erase(0, static_cast<std::size_t>(size));
  else if (errno != EAGAIN && errno != EINTR) unwritten_.clear();  // gone, as the next read will tell
}

// A terminal that takes nothing for a second will not be restored by waiting longer.
void FullScreen::write_patiently(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd room{terminal_.get(), POLLOUT, 0};
    if (::poll(&room, 1, 1000) == 0) return;
    const ssize_t size = ::write(terminal_.get(), bytes.data(), bytes.size());
    if (size < 0 && errno != EAGAIN && errno != EINTR) return;
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
}

}  // namespace tenon::cli
