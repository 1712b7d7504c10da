#include "common/json_pointer.hpp"

#include <charconv>
#include <optional>
#include <string>

namespace tenon {

namespace {

// "~1" is '/', "~0" is '~'.
std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    text += !escape ? token[i] : token[++i] == '1' ? '/' : '~';
  }
  return text;
}

std::optional<JsonValue> step(const JsonValue& from, const std::string& token) {
  if (!from.is_array()) return from.find(token);
  std::size_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [stop, failed] = std::from_chars(token.data(), end, index);
  if (failed != std::errc() || stop != end || index >= from.size()) return std::nullopt;
  return from.at(index);
}

}  // namespace

PointerTarget follow_json_pointer(JsonValue root, std::string_view pointer) {
  JsonValue value = root;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return {value, false};
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    const auto next = step(value, unescaped(token));
    if (!next) return {value, false};
    value = *next;
  }
  return {value, true};
}

}  // namespace tenon
