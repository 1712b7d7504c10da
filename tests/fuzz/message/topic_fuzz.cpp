// Any two texts as a pattern and a topic: both ways of checking agree, and matching is what the rules say token by
// token. The first line of the input is the pattern, the rest the topic.
#include "message/topic.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "fuzz/must.hpp"

namespace {

using tenon::fuzz::must;

std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  while (!text.empty()) tokens.push_back(tenon::message::take_token(text));
  return tokens;
}

bool matches_by_the_rules(std::string_view pattern, std::string_view topic) {
  const auto wanted = tokens_of(pattern), given = tokens_of(topic);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == ">") return given.size() > i;
    if (i >= given.size() || (wanted[i] != "*" && wanted[i] != given[i])) return false;
  }
  return wanted.size() == given.size();
}

void check(std::string_view text) {
  using namespace tenon::message;
  const bool topic = is_valid_topic(text), pattern = is_valid_pattern(text);
  const tenon::Status as_topic = check_topic(text), as_pattern = check_pattern(text);
  must(as_topic.ok() == topic && as_pattern.ok() == pattern, "both checks say the same", std::string(text));
  must(topic || !as_topic.error().message.empty(), "a refusal says why", std::string(text));
  must(pattern || !topic, "every topic is a pattern", std::string(text));
  if (topic)
    must(pattern_matches(text, text) && pattern_matches(">", text), "a topic matches itself", std::string(text));
  if (!pattern) return;
  std::string joined;
  for (const std::string_view token : tokens_of(text)) joined += (joined.empty() ? "" : ".") + std::string(token);
  must(joined == text, "the tokens are all of it", joined);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenon::message;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  const std::string_view pattern = input.substr(0, line);
  const std::string_view topic = line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  check(pattern);
  check(topic);
  if (is_valid_pattern(pattern) && is_valid_topic(topic))
    must(pattern_matches(pattern, topic) == matches_by_the_rules(pattern, topic), "matching keeps to the rules",
         std::string(input));
  return 0;
}
