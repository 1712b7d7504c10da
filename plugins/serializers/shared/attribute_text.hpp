// Which text may be the value of an attribute. CloudEvents 1.0.2, "Type System", String: no control characters
// (U+0000-U+001F, U+007F-U+009F) and no noncharacters; surrogates are no UTF-8 anyway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tenon::serializers {

namespace detail {

// Octet by octet. Requires UTF-8.
inline bool is_plain_slowly(std::string_view text) noexcept {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned lead = octet(i);
    if (lead < 0x20 || lead == 0x7f) return false;
    if (lead == 0xc2 && octet(i + 1) < 0xa0) return false;                                              // U+0080-U+009F
    if (lead == 0xef && octet(i + 1) == 0xb7 && octet(i + 2) >= 0x90 && octet(i + 2) < 0xb0)
      return false;                                                                  // U+FDD0-U+FDEF
    if (lead == 0xef && octet(i + 1) == 0xbf && octet(i + 2) >= 0xbe) return false;  // U+FFFE, U+FFFF
    // U+nFFFE and U+nFFFF of the other planes.
    if (lead >= 0xf0 && (octet(i + 1) & 0x0f) == 0x0f && octet(i + 2) == 0xbf && octet(i + 3) >= 0xbe) return false;
  }
  return true;
}

// Whether all eight octets are ASCII and no controls; may deny it falsely.
inline bool eight_are_plain(const char* at) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101ull, kHigh = kOnes << 7;
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t deletes = word ^ kOnes * 0x7f;
  return ((word | (word - kOnes * 0x20) | (deletes - kOnes)) & kHigh) == 0;
}

}  // namespace detail

// Requires UTF-8. Nearly every attribute is plain ASCII, so that is settled eight octets at a time.
inline bool is_attribute_text(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i + 8 <= text.size() && detail::eight_are_plain(text.data() + i)) i += 8;
  // A character of several octets cannot lie across i: all before it is ASCII.
  return i == text.size() || detail::is_plain_slowly(text.substr(i));
}

}  // namespace tenon::serializers
