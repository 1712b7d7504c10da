#include "control/target.hpp"

#include <charconv>

#include "common/encoding.hpp"
#include "common/text.hpp"
#include "common/units.hpp"

namespace tenon::control {

const std::string* Target::find(std::string_view name) const noexcept {
  for (auto i = query.rbegin(); i != query.rend(); ++i) {
    if (i->first == name) return &i->second;
  }
  return nullptr;
}

bool Target::flag(std::string_view name, bool otherwise) const noexcept {
  const std::string* text = find(name);
  if (text == nullptr) return otherwise;
  return !(text->empty() || *text == "0" || *text == "false" || *text == "no");
}

namespace {

Error bad_parameter(std::string_view name, const std::string& value, const std::string& expected) {
  return {errc::invalid_argument,
          "the parameter " + std::string(name) + " is " + quote_for_message(value) + "; give " + expected,
          fault::caller};
}

}  // namespace

Result<std::optional<std::uint64_t>> Target::number(std::string_view name, std::uint64_t most) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::optional<std::uint64_t>();
  std::uint64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (text->empty() || error != std::errc() || stop != end || value > most) {
    return bad_parameter(name, *text, "a whole number from 0 to " + std::to_string(most));
  }
  return std::optional(value);
}

Result<std::optional<Duration>> Target::duration(std::string_view name, Duration most) const {
  const std::string* text = find(name);
  if (text == nullptr) return std::optional<Duration>();
  const auto value = parse_duration(*text);
  if (!value || *value > most) {
    return bad_parameter(name, *text, "a time such as \"5s\", at most " + duration_to_config(most));
  }
  return std::optional(*value);
}

namespace {

Status parse_query(std::string_view text, Target& target) {
  for (const std::string_view pair : split(text, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals));
    if (!name) return std::move(name).error();
    auto value = percent_decode(equals == pair.npos ? std::string_view() : pair.substr(equals + 1));
    if (!value) return std::move(value).error();
    target.query.emplace_back(std::move(name).value(), std::move(value).value());
  }
  return {};
}

Status parse_path(std::string_view text, Target& target) {
  if (text == "/") return {};
  for (const std::string_view piece : split(text.substr(1), '/')) {
    auto segment = percent_decode(piece);
    if (!segment) return std::move(segment).error();
    target.segments.push_back(std::move(segment).value());
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.starts_with("http://")) {
    const std::size_t path = text.find('/', 7);
    text = path == text.npos ? std::string_view("/") : text.substr(path);
  }
  if (!text.starts_with('/')) {
    return Error(errc::invalid_argument,
                 "the request's target is " + quote_for_message(text) + "; give a path such as /v1/info",
                 fault::caller);
  }
  Target target;
  const std::size_t question = text.find('?');
  Status done = parse_path(text.substr(0, question), target);
  if (done && question != text.npos) done = parse_query(text.substr(question + 1), target);
  if (!done) {
    return Error(errc::invalid_argument,
                 "the request's target is not percent-encoded as RFC 3986 says: " + done.error().message,
                 fault::caller);
  }
  return target;
}

}  // namespace tenon::control
