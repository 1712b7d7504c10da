// Is it UTF-8? Nearly every string is plain ASCII, so that is settled eight octets at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tenon::serializers {

inline constexpr std::size_t kValidUtf8 = static_cast<std::size_t>(-1);

namespace detail {

template <class Word>
inline Word load(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace detail

inline bool is_ascii(std::string_view text) noexcept {
  const char* at = text.data();
  const std::size_t size = text.size();
  if (size >= 8) {
    std::uint64_t high = 0;
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) high |= detail::load<std::uint64_t>(at + i);
    high |= detail::load<std::uint64_t>(at + size - 8);  // the tail, overlapping what was already seen
    return (high & 0x8080808080808080ull) == 0;
  }
  if (size >= 4) {
    return ((detail::load<std::uint32_t>(at) | detail::load<std::uint32_t>(at + size - 4)) & 0x80808080u) == 0;
  }
  unsigned high = 0;
  for (std::size_t i = 0; i < size; ++i) high |= static_cast<unsigned char>(at[i]);
  return high < 0x80;
}

// The length of the well-formed sequence at the start of `text` (RFC 3629: no overlong form, no surrogate, at most
// U+10FFFF), or 0.
inline std::size_t utf8_sequence(std::string_view text) noexcept {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && octet(i) >= low && octet(i) <= high;
  };
  if (text.empty()) return 0;
  const unsigned lead = octet(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

// The index of the first octet that is not UTF-8, or kValidUtf8.
inline std::size_t first_invalid_utf8(std::string_view text) noexcept {
  if (is_ascii(text)) return kValidUtf8;
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + 8 <= text.size() && (detail::load<std::uint64_t>(text.data() + i) & 0x8080808080808080ull) == 0) {
      i += 8;
      continue;
    }
    const std::size_t length = utf8_sequence(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return kValidUtf8;
}

}  // namespace tenon::serializers
