#include "cli/key_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "common/utf8.hpp"

namespace tenon::cli {

namespace {

using Kind = Key::Kind;

constexpr char kEscape = '\x1b';
constexpr std::size_t kLongest = 32;  // bytes of a sequence behind ESC; a longer one is cut there

struct Sequence {
  std::string_view bytes;  // behind ESC
  Kind kind;
};
// With and without application cursor keys; 1~, 4~, 7~ and 8~ are Home and End of the console and of rxvt.
constexpr Sequence kSequences[] = {
    {"[A", Kind::up},       {"OA", Kind::up},         {"[B", Kind::down},  {"OB", Kind::down},
    {"[5~", Kind::page_up}, {"[6~", Kind::page_down}, {"[H", Kind::home},  {"OH", Kind::home},
    {"[1~", Kind::home},    {"[7~", Kind::home},      {"[F", Kind::end},   {"OF", Kind::end},
    {"[4~", Kind::end},     {"[8~", Kind::end},       {"OM", Kind::enter},
};

// The bytes of the sequence that `text` (behind ESC) begins with; 0: it is not whole yet.
std::size_t sequence_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  if (text[0] == 'O') return text.size() < 2 ? 0 : 2;
  if (text[0] != '[') return 1;  // Alt and a key
  // Parameters and intermediates, then a final byte; ECMA-48. The console's F1 is "[[A".
  if (text.size() > 1 && text[1] == '[') return text.size() < 3 ? 0 : 3;
  for (std::size_t i = 1; i < std::min(text.size(), kLongest); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x40 && c <= 0x7e) return i + 1;
    if (c < 0x20 || c > 0x7e) return i;  // broken off
  }
  return text.size() >= kLongest ? kLongest : 0;
}

std::optional<Kind> control_key(char c) noexcept {
  switch (c) {
    case '\r':
    case '\n': return Kind::enter;
    case '\x7f':
    case '\b': return Kind::backspace;
    case '\x15': return Kind::clear;
    case '\x0c': return Kind::redraw;
    default: return std::nullopt;
  }
}

bool is_control(std::uint32_t c) noexcept { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

// How long the sequence of UTF-8 that begins so would be; 1 for what begins none.
std::size_t announced_length(char first) noexcept {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xf0 && byte < 0xf8) return 4;
  if (byte >= 0xe0) return byte < 0xf0 ? 3 : 1;
  return byte >= 0xc0 ? 2 : 1;
}

}  // namespace

std::vector<Key> KeyReader::feed(std::string_view bytes) {
  std::string text = std::exchange(input_, {}).append(bytes);
  std::string_view rest = text;
  std::vector<Key> keys;
  while (!rest.empty()) {
    if (rest[0] == kEscape) {
      // Two in a row: the first was the key.
      const bool twice = rest.size() > 1 && rest[1] == kEscape;
      const std::size_t length = twice ? 0 : sequence_length(rest.substr(1));
      if (length == 0 && !twice) break;
      const std::string_view sequence = rest.substr(1, length);
      const auto* known = std::find_if(std::begin(kSequences), std::end(kSequences),
                                       [&](const Sequence& one) { return one.bytes == sequence; });
      if (twice) keys.push_back({Kind::escape});
      if (known != std::end(kSequences)) keys.push_back({known->kind});
      rest.remove_prefix(1 + length);
      continue;
    }
    const Utf8Step step = utf8_step(rest);
    if (!step.valid && step.length == rest.size() && rest.size() < announced_length(rest[0])) break;
    if (const auto kind = control_key(rest[0])) {
      keys.push_back({*kind});
    } else if (step.valid && !is_control(step.code_point)) {
      keys.push_back({Kind::character, std::string(rest.substr(0, step.length))});
    }
    rest.remove_prefix(step.length);
  }
  input_ = rest;
  return keys;
}

std::vector<Key> KeyReader::settle() {
  const std::string left = std::exchange(input_, {});
  if (left.size() == 1 && left[0] == kEscape) return {{Kind::escape}};
  return {};
}

}  // namespace tenon::cli
