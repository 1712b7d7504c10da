// One line of a process's output.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.hpp"

namespace tenon::runtime {

// `host`: what the host itself notes in a process's log ("1,204 lines dropped").
enum class LogStream : std::uint8_t { standard_output = 0, standard_error = 1, host = 2 };
std::string_view to_string(LogStream stream) noexcept;  // "stdout", "stderr", "host"

struct LogLine {
  LogStream stream = LogStream::standard_output;
  WallTime at{};       // when the host read it
  bool cut = false;    // longer than the limit: only the beginning is here
  std::string_view text;  // without line feed; any bytes but LF; valid during the call it is handed to
  std::uint64_t position = 0;  // a follower that continues after this line asks from here
};

}  // namespace tenon::runtime
