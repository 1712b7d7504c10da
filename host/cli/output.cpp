#include "cli/output.hpp"

#include <cerrno>
#include <cstdlib>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tenon::cli {

namespace {

// 0, or the errno of what went wrong.
int write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(fd, text.data(), text.size());
    if (size >= 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {  // whoever shares the terminal with us may have made it non-blocking
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

Output::Output(int out, int error) : out_(out), error_(error) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (::isatty(out) != 1) return;
  style_.colour = no_colour == nullptr || *no_colour == '\0';
  winsize window{};
  if (::ioctl(out, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) style_.columns = window.ws_col;
}

Output Output::standard() { return {STDOUT_FILENO, STDERR_FILENO}; }

bool Output::print(std::string_view text) {
  if (write_error_ == 0) write_error_ = write_whole(out_, text);
  return write_error_ == 0;
}

void Output::complain(std::string_view text) {
  std::string line = "tenon: " + std::string(text);
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  (void)write_whole(error_, line + '\n');
}

void Output::complain_in_lines(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  (void)write_whole(error_, "tenon: " + std::string(text) + '\n');
}

}  // namespace tenon::cli
