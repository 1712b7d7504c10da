#include "cli/output.hpp"

#include <cerrno>
#include <cstdlib>
#include <unistd.h>

namespace tenon::cli {

namespace {

bool write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

Output::Output(int out, int error) : out_(out), error_(error) {
  const char* no_colour = std::getenv("NO_COLOR");
  style_.colour = ::isatty(out) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

Output Output::standard() { return {STDOUT_FILENO, STDERR_FILENO}; }

bool Output::print(std::string_view text) { return write_whole(out_, text); }

void Output::complain(std::string_view text) {
  std::string line = "tenon: " + std::string(text);
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  write_whole(error_, line + '\n');
}

}  // namespace tenon::cli
