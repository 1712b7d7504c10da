#include "escapes.hpp"

#include <cstdint>
#include <cstring>

namespace tenon::json_plugin {

namespace {

struct Escape {
  std::uint32_t character;
  const char* next;  // behind the escape; null: it is illegal
};

constexpr Escape kIllegal = {0, nullptr};

// The number that the four hexadecimal digits at `at` stand for, or -1.
std::int32_t hex4(const char* at, const char* end) noexcept {
  if (end - at < 4) return -1;
  std::int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    if (c >= '0' && c <= '9') {
      value = value << 4 | (c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      value = value << 4 | ((c | 0x20) - 'a' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

Escape read_unicode(const char* at, const char* end) noexcept {
  const std::int32_t first = hex4(at, end);
  if (first < 0 || (first >= 0xdc00 && first <= 0xdfff)) return kIllegal;
  at += 4;
  if (first < 0xd800 || first > 0xdbff) return {static_cast<std::uint32_t>(first), at};
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return kIllegal;
  const std::int32_t second = hex4(at + 2, end);
  if (second < 0xdc00 || second > 0xdfff) return kIllegal;
  return {static_cast<std::uint32_t>(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)), at + 6};
}

// `at` is a backslash.
Escape read_escape(const char* at, const char* end) noexcept {
  if (end - at < 2) return kIllegal;
  switch (at[1]) {
    case '"': return {'"', at + 2};
    case '\\': return {'\\', at + 2};
    case '/': return {'/', at + 2};
    case 'b': return {'\b', at + 2};
    case 'f': return {'\f', at + 2};
    case 'n': return {'\n', at + 2};
    case 'r': return {'\r', at + 2};
    case 't': return {'\t', at + 2};
    case 'u': return read_unicode(at + 2, end);
    default: return kIllegal;
  }
}

char* put_utf8(std::uint32_t character, char* to) noexcept {
  const auto put = [&to](std::uint32_t octet) { *to++ = static_cast<char>(octet); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xc0 | character >> 6);
    put(0x80 | (character & 63));
  } else if (character < 0x10000) {
    put(0xe0 | character >> 12);
    put(0x80 | (character >> 6 & 63));
    put(0x80 | (character & 63));
  } else {
    put(0xf0 | character >> 18);
    put(0x80 | (character >> 12 & 63));
    put(0x80 | (character >> 6 & 63));
    put(0x80 | (character & 63));
  }
  return to;
}

const char* next_backslash(const char* at, const char* end) noexcept {
  return static_cast<const char*>(std::memchr(at, '\\', static_cast<std::size_t>(end - at)));
}

}  // namespace

const char* find_bad_escape(const RawString& string) noexcept {
  const char* at = string.escape;
  while (at != nullptr) {
    const Escape escape = read_escape(at, string.end);
    if (escape.next == nullptr) return at;
    at = next_backslash(escape.next, string.end);
  }
  return nullptr;
}

char* unescape(const RawString& string, char* to, const char*& bad) noexcept {
  const char* at = string.begin;
  const char* backslash = string.escape;
  while (true) {
    const char* run_end = backslash == nullptr ? string.end : backslash;
    std::memcpy(to, at, static_cast<std::size_t>(run_end - at));
    to += run_end - at;
    if (backslash == nullptr) return to;
    const Escape escape = read_escape(backslash, string.end);
    if (escape.next == nullptr) {
      bad = backslash;
      return nullptr;
    }
    // An escape of n octets never stands for more than n octets of UTF-8, so `to` stays within its room.
    to = put_utf8(escape.character, to);
    at = escape.next;
    backslash = next_backslash(at, string.end);
  }
}

}  // namespace tenon::json_plugin
