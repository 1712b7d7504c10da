// NATS subject rules, for the transports: what a subject and a pattern are, and which match.
//
// A subject is one or more tokens joined by '.'; no token is empty, and none holds white space or a control character.
// A pattern may have '*' (exactly one token) and, as its last token, '>' (one token or more).
// Source: NATS documentation, "Subject-Based Messaging".
#pragma once

#include <cstddef>
#include <string_view>

namespace tenon::transports {

// Octets; leaves room for a reply subject in the 4096 octets of a NATS control line.
inline constexpr std::size_t kSubjectMax = 1024;

namespace detail {

// Why the text cannot stand on the wire at all, or null. Space and control characters would end the subject early, and
// a line feed would start a command of the sender's choice.
inline const char* bad_text(std::string_view text) noexcept {
  if (text.empty()) return "it is empty";
  if (text.size() > kSubjectMax) return "it is longer than 1024 octets";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet <= 0x20 || octet == 0x7f) return "it has white space or a control character";
  }
  return nullptr;
}

inline std::string_view next_token(std::string_view& rest) noexcept {
  const std::size_t dot = rest.find('.');
  const std::string_view token = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return token;
}

inline const char* bad_tokens(std::string_view text, bool wildcards) noexcept {
  if (text.back() == '.') return "it ends with a dot";
  while (!text.empty()) {
    const std::string_view token = next_token(text);
    if (token.empty()) return "it has an empty token";
    if (token != "*" && token != ">") continue;
    if (!wildcards) return "it has a wildcard";
    if (token == ">" && !text.empty()) return "'>' is not its last token";
  }
  return nullptr;
}

}  // namespace detail

// Null: the text is a subject; else half a sentence that says why not.
inline const char* subject_fault(std::string_view text) noexcept {
  const char* fault = detail::bad_text(text);
  return fault != nullptr ? fault : detail::bad_tokens(text, false);
}

// The same for a pattern.
inline const char* pattern_fault(std::string_view text) noexcept {
  const char* fault = detail::bad_text(text);
  return fault != nullptr ? fault : detail::bad_tokens(text, true);
}

// The same for the name of a queue group.
inline const char* group_fault(std::string_view text) noexcept { return detail::bad_text(text); }

inline bool has_wildcard(std::string_view pattern) noexcept {
  while (!pattern.empty()) {
    const std::string_view token = detail::next_token(pattern);
    if (token == "*" || token == ">") return true;
  }
  return false;
}

// Requires a legal pattern and a legal subject.
inline bool matches(std::string_view pattern, std::string_view subject) noexcept {
  while (!pattern.empty() && !subject.empty()) {
    const std::string_view wanted = detail::next_token(pattern);
    if (wanted == ">") return true;
    const std::string_view token = detail::next_token(subject);
    if (wanted != "*" && wanted != token) return false;
  }
  return pattern.empty() && subject.empty();
}

}  // namespace tenon::transports
