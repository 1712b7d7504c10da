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

bool is_valid_topic(std::string_view topic) noexcept;
bool is_valid_pattern(std::string_view pattern) noexcept;

// What is wrong with it, as a sentence with the offending token; ok() if nothing is.
Status check_topic(std::string_view topic);
Status check_pattern(std::string_view pattern);

// Whether a valid pattern matches a valid topic. Linear in both.
bool pattern_matches(std::string_view pattern, std::string_view topic) noexcept;

// Splits off the first token: returns it and shortens `rest` to what follows the dot; `rest` becomes empty after the
// last.
std::string_view take_token(std::string_view& rest) noexcept;

}  // namespace tenon::message
