// The host's own log: one line an entry on stderr, as text for people or JSON for machines.
//
//   log::info("keeper", "engine restarted", {{"pid", 12}, {"after", "SIGSEGV"}});
//   2026-05-04T10:11:12.345Z INFO  keeper: engine restarted pid=12 after=SIGSEGV
//   {"time":"2026-05-04T10:11:12.345Z","level":"info","part":"keeper","message":"engine restarted","pid":12,…}
//
// The model. An entry below the level costs one relaxed load. Every other is formatted first and leaves in one write(2)
// of at most kMaxLine bytes, so lines of several processes on one pipe never mix; what does not fit is cut and marked
// (truncated=true). A reader that stalls must not stall the host: when stderr takes nothing for 10 ms, entries are
// dropped until it does again, and the next line is preceded by their number. Colour only if stderr is a terminal,
// NO_COLOR is unset and the format is text. Control characters and invalid UTF-8 in values are escaped: a worker cannot
// forge lines.
//
// Everything here is [any], also before main() and during exit. Nothing is async-signal-safe: never log between
// fork and exec.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace tenon::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error, off };  // off only as a threshold
enum class Format : std::uint8_t { text, json };

std::string_view to_string(Level level) noexcept;                         // "info"
std::optional<Level> parse_level(std::string_view name) noexcept;         // also "warning"
std::optional<Format> parse_format(std::string_view name) noexcept;

inline constexpr std::size_t kMaxLine = 4096;  // PIPE_BUF: atomic on a pipe

// A key and a value that both only need to live until the call returns.
class Field {
 public:
  enum class Kind : std::uint8_t { text, i64, u64, number, boolean };

  Field(std::string_view k, std::string_view v) noexcept : key(k), text(v), kind(Kind::text) {}
  Field(std::string_view k, const char* v) noexcept : Field(k, std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) noexcept : Field(k, std::string_view(v)) {}
  Field(std::string_view k, double v) noexcept : key(k), number(v), kind(Kind::number) {}
  template <std::integral T>
  Field(std::string_view k, T v) noexcept : key(k) {
    if constexpr (std::same_as<T, bool>) {
      boolean = v, kind = Kind::boolean;
    } else if constexpr (std::is_signed_v<T>) {
      i64 = v, kind = Kind::i64;
    } else {
      u64 = v, kind = Kind::u64;
    }
  }

  std::string_view key;
  std::string_view text;
  union {
    std::int64_t i64 = 0;
    std::uint64_t u64;
    double number;
    bool boolean;
  };
  Kind kind;
};

using Fields = std::initializer_list<Field>;

namespace detail {
extern std::atomic<Level> threshold;
}

void set_level(Level level) noexcept;  // info at the start
void set_format(Format format) noexcept;  // text at the start
Level level() noexcept;
inline bool enabled(Level wanted) noexcept { return wanted >= detail::threshold.load(std::memory_order_relaxed); }

// Takes finished lines (without the line feed) instead of stderr, under a lock; an empty function gives stderr back. A
// sink must not log. For tests, and for capturing the log of a short-lived command.
using Sink = std::function<void(Level level, std::string_view line)>;
void set_sink(Sink sink);

// Formats and writes without looking at the level. Prefer the named ones.
void write(Level level, std::string_view part, std::string_view message, const Field* fields, std::size_t count);

inline void write(Level level, std::string_view part, std::string_view message, Fields fields = {}) {
  if (enabled(level)) write(level, part, message, fields.begin(), fields.size());
}
inline void trace(std::string_view part, std::string_view message, Fields fields = {}) {
  write(Level::trace, part, message, fields);
}
inline void debug(std::string_view part, std::string_view message, Fields fields = {}) {
  write(Level::debug, part, message, fields);
}
inline void info(std::string_view part, std::string_view message, Fields fields = {}) {
  write(Level::info, part, message, fields);
}
inline void warn(std::string_view part, std::string_view message, Fields fields = {}) {
  write(Level::warn, part, message, fields);
}
inline void error(std::string_view part, std::string_view message, Fields fields = {}) {
  write(Level::error, part, message, fields);
}

}  // namespace tenon::log
