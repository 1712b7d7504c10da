#include "common/logging.hpp"

#include <cerrno>
#include <cstdlib>
#include <mutex>

#include <poll.h>
#include <unistd.h>

#include "common/log_format.hpp"

namespace tenon::log {

namespace detail {
constinit std::atomic<Level> threshold{Level::info};
}

namespace {

constexpr int kPatienceMilliseconds = 10;

constinit std::atomic<Format> current_format{Format::text};

// Where lines go. Leaked on purpose: destructors of other static objects may still log.
struct Output {
  std::mutex mutex;  // guards all of it, and keeps poll and write of one line together
  Sink sink;
  bool stalled = false;
  std::uint64_t dropped = 0;
};

Output& output() {
  static Output* const instance = new Output;
  return *instance;
}

bool stderr_wants_colour() {
  static const bool wanted = ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  return wanted;
}

// A pipe counts as writable when a whole page fits, so a line of kMaxLine then never blocks. An error (no reader left)
// counts as not writable: writing would raise SIGPIPE.
bool stderr_writable(int patience) {
  pollfd wait{STDERR_FILENO, POLLOUT, 0};
  int ready;
  do {
    ready = ::poll(&wait, 1, patience);
  } while (ready < 0 && errno == EINTR);
  return ready == 1 && (wait.revents & (POLLERR | POLLNVAL)) == 0 && (wait.revents & POLLOUT) != 0;
}

bool write_line(std::string line) {
  line += '\n';
  ssize_t written;
  do {
    written = ::write(STDERR_FILENO, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  return written > 0;
}

std::string dropped_notice(std::uint64_t count, Format format, bool colour) {
  const Field field("dropped", count);
  return format_entry({SystemClock().wall(), Level::warn, "log", "stderr took no lines for a while; read it faster",
                       &field, 1},
                      format, colour);
}

void write_to_stderr(Output& out, std::string line, Format format, bool colour) {
  if (!stderr_writable(out.stalled ? 0 : kPatienceMilliseconds)) {
    out.stalled = true;
    ++out.dropped;
    return;
  }
  out.stalled = false;
  if (out.dropped > 0) {
    if (write_line(dropped_notice(out.dropped, format, colour))) out.dropped = 0;
    if (!stderr_writable(0)) {
      out.stalled = true;
      ++out.dropped;
      return;
    }
  }
  if (!write_line(std::move(line))) ++out.dropped;
}

}  // namespace

std::string_view to_string(Level level) noexcept {
  switch (level) {
    case Level::trace: return "trace";
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
    case Level::off: return "off";
  }
  return "unknown";
}

std::optional<Level> parse_level(std::string_view name) noexcept {
  for (Level level : {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
    if (name == to_string(level)) return level;
  }
  if (name == "warning") return Level::warn;
  return std::nullopt;
}

std::optional<Format> parse_format(std::string_view name) noexcept {
  if (name == "text") return Format::text;
  if (name == "json") return Format::json;
  return std::nullopt;
}

void set_level(Level level) noexcept { detail::threshold.store(level, std::memory_order_relaxed); }
void set_format(Format format) noexcept { current_format.store(format, std::memory_order_relaxed); }
Level level() noexcept { return detail::threshold.load(std::memory_order_relaxed); }

void set_sink(Sink sink) {
  Output& out = output();
  const std::lock_guard lock(out.mutex);
  out.sink = std::move(sink);
}

void write(Level level, std::string_view part, std::string_view message, const Field* fields, std::size_t count) {
  const int saved_errno = errno;  // logging must not disturb the caller's error handling
  const Format format = current_format.load(std::memory_order_relaxed);
  const Entry entry{SystemClock().wall(), level, part, message, fields, count};
  Output& out = output();
  const std::lock_guard lock(out.mutex);
  if (out.sink) {
    out.sink(level, format_entry(entry, format, false));
  } else {
    const bool colour = format == Format::text && stderr_wants_colour();
    write_to_stderr(out, format_entry(entry, format, colour), format, colour);
  }
  errno = saved_errno;
}

}  // namespace tenon::log
