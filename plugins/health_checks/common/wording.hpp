// Words that our health checks share in their reasons.
#pragma once

#include <tenon/sdk/host.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "../../common/duration_text.hpp"

namespace tenon::health {

// "127.0.0.1:80", "localhost:80", "[::1]:80".
inline std::string endpoint_text(const std::string& host, std::uint16_t port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

// The octets at the start of `text` that are one well-formed UTF-8 character; 0 if there is none.
inline std::size_t character_size(std::string_view text) {
  const auto octet = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = octet(0), second = octet(1);
  const std::size_t size = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((octet(i) & 0xC0) != 0x80) return 0;
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;  // overlong, surrogates
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;  // overlong, beyond Unicode
  return size;
}

// What somebody else wrote, fit for a reason: at most `limit` octets, cut between characters, control characters as
// spaces, what is no UTF-8 as '?'.
inline std::string printable(std::string_view text, std::size_t limit = 256) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const bool control = size == 1 && (static_cast<unsigned char>(text[0]) < ' ' || text[0] == 0x7F);
    const std::string_view shown = size == 0 ? "?" : control ? " " : text.substr(0, size);
    if (result.size() + shown.size() > limit) break;
    result += shown;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return result;
}

// The last line of a command's output that is not blank, printable; empty if there is none.
inline std::string last_line(std::string_view output) {
  while (!output.empty() && static_cast<unsigned char>(output.back()) <= ' ') output.remove_suffix(1);
  const std::size_t start = output.rfind('\n');
  return printable(start == std::string_view::npos ? output : output.substr(start + 1));
}

// Ends a check that the host had nothing free for: it counts neither for nor against the process.
inline void complete_not_made(const sdk::Host& host, std::uint64_t token, const std::string& reason) {
  tenon_error error;
  TENON_INIT(&error);
  sdk::fill(error, TENON_ERR_EXHAUSTED, "not made: " + reason, TENON_FAULT_HOST, true);
  host.raw()->complete_check(host.raw()->context, token, nullptr, &error);
}

}  // namespace tenon::health
