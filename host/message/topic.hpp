// Topics and patterns: NATS subjects.
//
// A topic is tokens joined by dots; a token has at least one octet and no white space, control characters, '*' or '>'.
// A pattern may have '*' in place of a token (exactly one) and '>' as its last (one or more).
// Source: NATS documentation, "Subject-Based Messaging".
#pragma once

#include <cstddef>
#include <string_view>

#include "common/result.hpp"

namespace tenon::message {

inline constexpr std::size_t kMaxTopicSize = 1024;  // octets; also bounds the number of tokens
inline constexpr std::size_t kMaxGroupSize = 255;   // octets

bool is_valid_topic(std::string_view topic) noexcept;
bool is_valid_pattern(std::string_view pattern) noexcept;

// What is wrong with it, as a sentence with the offending token; ok() if nothing is.
Status check_topic(std::string_view topic);
Status check_pattern(std::string_view pattern);

// The name of a queue group: 1 to 255 octets without white space and control characters (it is written in lists that
// those part).
Status check_group(std::string_view group);

// Whether a valid pattern matches a valid topic. Linear in both.
bool pattern_matches(std::string_view pattern, std::string_view topic) noexcept;

// Splits off the first token: returns it and shortens `rest` to what follows the dot; `rest` becomes empty after the
// last.
std::string_view take_token(std::string_view& rest) noexcept;

}  // namespace tenon::message
