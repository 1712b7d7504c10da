#include "message/topic.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "common/text.hpp"

namespace tenon::message {

namespace {

enum CharClass : unsigned char { kPlain, kDot, kWildcard, kIllegal };

constexpr std::array<unsigned char, 256> kClasses = [] {
  std::array<unsigned char, 256> classes{};
  for (int c = 0; c < 256; ++c) classes[c] = c <= ' ' || c == 0x7f ? kIllegal : kPlain;
  classes['.'] = kDot;
  classes['*'] = kWildcard;
  classes['>'] = kWildcard;
  return classes;
}();

unsigned char class_of(char c) noexcept { return kClasses[static_cast<unsigned char>(c)]; }

Status check(std::string_view text, bool wildcards, std::string_view what) {
  const auto refuse = [&](std::string_view why) {
    return Status(Error(errc::invalid_argument,
                        std::string(what) + " " + quote_for_message(text, 80) + " " + std::string(why) +
                            "; expected tokens joined by dots, such as \"task.result\"" +
                            (wildcards ? ", with '*' for one token and '>' for the rest" : ""),
                        fault::caller));
  };
  if (text.empty()) return refuse("is empty");
  if (text.size() > kMaxTopicSize) return refuse("is longer than 1024 octets");
  std::string_view rest = text;
  while (true) {
    const bool last = rest.find('.') == std::string_view::npos;
    const std::string_view token = take_token(rest);
    if (token.empty()) return refuse("has an empty token");
    for (const char c : token)
      if (class_of(c) == kIllegal) return refuse("contains white space or a control character");
    const bool has_wildcard = token.find_first_of("*>") != std::string_view::npos;
    if (has_wildcard && !wildcards) return refuse("contains a wildcard, which only a subscription may");
    if (has_wildcard && token.size() > 1) return refuse("mixes a wildcard with other characters in one token");
    if (token == ">" && !last) return refuse("has '>' before its end");
    if (last) return {};
  }
}

}  // namespace

std::string_view take_token(std::string_view& rest) noexcept {
  const std::size_t dot = rest.find('.');
  const std::string_view token = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return token;
}

bool is_valid_topic(std::string_view topic) noexcept {
  if (topic.empty() || topic.size() > kMaxTopicSize) return false;
  unsigned char before = kDot;
  for (const char c : topic) {
    const unsigned char now = class_of(c);
    if (now >= kWildcard || (now == kDot && before == kDot)) return false;
    before = now;
  }
  return before != kDot;
}

bool is_valid_pattern(std::string_view pattern) noexcept { return check(pattern, true, "pattern").ok(); }

Status check_topic(std::string_view topic) { return check(topic, false, "topic"); }
Status check_pattern(std::string_view pattern) { return check(pattern, true, "pattern"); }

Status check_group(std::string_view group) {
  const bool legal = !group.empty() && group.size() <= kMaxGroupSize &&
                     std::none_of(group.begin(), group.end(), [](char c) { return class_of(c) == kIllegal; });
  if (legal) return {};
  return Error(errc::invalid_argument,
               "group " + quote_for_message(group, 80) +
                   " is no name; expected 1 to 255 octets without white space and control characters",
               fault::caller);
}

bool pattern_matches(std::string_view pattern, std::string_view topic) noexcept {
  while (true) {
    if (pattern == ">") return !topic.empty();
    if (pattern.empty() || topic.empty()) return pattern.empty() && topic.empty();
    const std::string_view want = take_token(pattern);
    const std::string_view have = take_token(topic);
    if (want != "*" && want != have) return false;
  }
}

}  // namespace tenon::message
