// One event a line, as JSON: all that a worker in C++ needs beside a JSON reader.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace demo {

// The text as a JSON string with its quotes. Requires UTF-8.
inline std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out += '"';
}

// Writes one event. Flushed at once: stdout is a pipe, so the C library would keep it back until its buffer is full.
inline void emit(const std::string& event) {
  std::fputs((event + "\n").c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace demo
