#include "common/utf8.hpp"

#include <cstring>

namespace tenon {

namespace {

struct Lead {
  std::uint8_t length;  // 0: this byte starts nothing
  std::uint8_t low;     // range of the second byte: excludes overlong forms, surrogates and what is above U+10FFFF
  std::uint8_t high;
};

Lead classify(unsigned char b) noexcept {
  if (b >= 0xC2 && b <= 0xDF) return {2, 0x80, 0xBF};
  if (b == 0xE0) return {3, 0xA0, 0xBF};
  if (b == 0xED) return {3, 0x80, 0x9F};
  if (b >= 0xE1 && b <= 0xEF) return {3, 0x80, 0xBF};
  if (b == 0xF0) return {4, 0x90, 0xBF};
  if (b >= 0xF1 && b <= 0xF3) return {4, 0x80, 0xBF};
  if (b == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Index of the first non-ASCII byte at or after `i`.
std::size_t skip_ascii(std::string_view bytes, std::size_t i) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080ull;
  while (i + 8 <= bytes.size()) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    if (word & kHighBits) break;
    i += 8;
  }
  while (i < bytes.size() && static_cast<unsigned char>(bytes[i]) < 0x80) ++i;
  return i;
}

}  // namespace

Utf8Step utf8_step(std::string_view bytes) noexcept {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = classify(first);
  if (lead.length == 0) return {0, 1, false};
  std::uint32_t code = first & (0x7Fu >> lead.length);
  for (std::uint8_t i = 1; i < lead.length; ++i) {
    if (i >= bytes.size()) return {0, i, false};
    const auto next = static_cast<unsigned char>(bytes[i]);
    const unsigned low = i == 1 ? lead.low : 0x80;
    const unsigned high = i == 1 ? lead.high : 0xBF;
    if (next < low || next > high) return {0, i, false};
    code = code << 6 | (next & 0x3Fu);
  }
  return {code, lead.length, true};
}

std::size_t find_invalid_utf8(std::string_view bytes) noexcept {
  std::size_t i = skip_ascii(bytes, 0);
  while (i < bytes.size()) {
    const Utf8Step step = utf8_step(bytes.substr(i));
    if (!step.valid) return i;
    i = skip_ascii(bytes, i + step.length);
  }
  return i;
}

bool is_valid_utf8(std::string_view bytes) noexcept { return find_invalid_utf8(bytes) == bytes.size(); }

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t good = find_invalid_utf8(bytes);
    out.append(bytes.substr(0, good));
    bytes.remove_prefix(good);
    if (bytes.empty()) break;
    out += "\xEF\xBF\xBD";
    bytes.remove_prefix(utf8_step(bytes).length);
  }
  return out;
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  // Only a character that begins within the last three bytes can reach over the limit.
  for (std::size_t back = 1; back <= 3 && back <= limit; ++back) {
    const Utf8Step step = utf8_step(text.substr(limit - back));
    if (step.valid && step.length > back) return text.substr(0, limit - back);
    if (step.valid) break;
  }
  return text.substr(0, limit);
}

}  // namespace tenon
