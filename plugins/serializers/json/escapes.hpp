// Escapes in JSON strings (RFC 8259 section 7). A surrogate that has no partner stands for no character and is refused:
// text that holds one could not be given to anybody as UTF-8.
#pragma once

#include <string_view>

namespace tenon::json_plugin {

// A string token between its quotes. The view is of the input.
struct RawString {
  const char* begin;
  const char* end;
  const char* escape;  // the first backslash, or null: then the view is the string's value

  std::string_view view() const noexcept { return {begin, static_cast<std::size_t>(end - begin)}; }
};

// The first illegal escape, or null if all are legal.
const char* find_bad_escape(const RawString& string) noexcept;

// Writes the value to `to`, which has room for view().size() octets, and returns its end; on an illegal escape returns
// null and sets `bad` to it.
char* unescape(const RawString& string, char* to, const char*& bad) noexcept;

}  // namespace tenon::json_plugin
