// The names of an object's members in a config: what the host's table cannot list, because its pointers need the names.
//
// Requires the well-formed JSON that config_json gives; nothing here checks it again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::health {

namespace detail {

inline void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t octet) { out += static_cast<char>(octet); };
  const auto tail = [&](int shift) { put(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) put(point);
  else if (point < 0x800) put(0xC0 | (point >> 6)), tail(0);
  else if (point < 0x10000) put(0xE0 | (point >> 12)), tail(6), tail(0);
  else put(0xF0 | (point >> 18)), tail(12), tail(6), tail(0);
}

inline std::uint32_t hex4(std::string_view digits) {
  return static_cast<std::uint32_t>(std::stoul(std::string(digits), nullptr, 16));
}

// Reads the string whose opening quote stands at `at`; leaves `at` behind the closing one.
inline std::string read_string(std::string_view json, std::size_t& at) {
  std::string text;
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] != '\\') {
      text += json[at];
      continue;
    }
    static constexpr std::string_view kEscapes = "bfnrt", kMeanings = "\b\f\n\r\t";
    const char escape = json[++at];
    if (escape == 'u') {
      std::uint32_t point = hex4(json.substr(at + 1, 4));
      at += 4;
      if (point >= 0xD800 && point < 0xDC00 && json.substr(at + 1, 2) == "\\u") {  // a surrogate pair
        point = 0x10000 + ((point - 0xD800) << 10) + (hex4(json.substr(at + 3, 4)) - 0xDC00);
        at += 6;
      }
      append_utf8(text, point);
    } else {
      const std::size_t known = kEscapes.find(escape);
      text += known == std::string_view::npos ? escape : kMeanings[known];
    }
  }
  ++at;
  return text;
}

}  // namespace detail

// The names of the members of the root's member `object`, in their order; none if there is no such object.
inline std::vector<std::string> member_names(std::string_view json, std::string_view object) {
  std::vector<std::string> names, path;
  std::string last;
  bool awaits_name = false;
  int depth = 0, inside = 0;  // `inside`: the depth at which the wanted object's members stand; 0: not in it
  for (std::size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (c == '"') {
      std::string text = detail::read_string(json, at);
      if (!awaits_name) continue;
      if (depth == inside) names.push_back(text);
      last = std::move(text);
      awaits_name = false;
      continue;
    }
    ++at;
    if (c == '{' || c == '[') {
      if (c == '{' && depth == 1 && last == object && inside == 0) inside = 2;
      ++depth;
      awaits_name = c == '{';
      path.emplace_back(1, c);
    } else if (c == '}' || c == ']') {
      if (depth == inside) return names;
      --depth;
      path.pop_back();
      awaits_name = false;
    } else if (c == ',') {
      awaits_name = !path.empty() && path.back() == "{";
    }
  }
  return names;
}

// A name as a token of a JSON pointer (RFC 6901, section 3).
inline std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) token += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return token;
}

}  // namespace tenon::health
