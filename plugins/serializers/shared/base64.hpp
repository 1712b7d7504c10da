// Base64 with the standard alphabet and padding (RFC 4648 section 4), which is what CloudEvents uses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon::serializers {

namespace detail {

inline constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The six bits of each letter; 0x80 for everything that is none.
inline constexpr std::array<std::uint8_t, 256> kBase64Bits = [] {
  std::array<std::uint8_t, 256> bits{};
  bits.fill(0x80);
  for (std::uint8_t i = 0; i < 64; ++i) bits[static_cast<unsigned char>(kBase64[i])] = i;
  return bits;
}();

inline std::uint8_t bits_of(char letter) noexcept { return kBase64Bits[static_cast<unsigned char>(letter)]; }

inline std::size_t padding_of(std::string_view text) noexcept {
  if (text.empty() || text.back() != '=') return 0;
  return text[text.size() - 2] == '=' ? 2 : 1;
}

}  // namespace detail

inline std::size_t base64_encoded_size(std::size_t octets) noexcept { return (octets + 2) / 3 * 4; }

// Legal length, alphabet and padding. Bits that padding leaves over may have any value, as RFC 4648 section 3.5 allows.
inline bool is_base64(std::string_view text) noexcept {
  if (text.size() % 4 != 0) return false;
  const std::size_t letters = text.size() - detail::padding_of(text);
  std::uint8_t bad = 0;
  for (std::size_t i = 0; i < letters; ++i) bad |= detail::bits_of(text[i]);
  return (bad & 0x80) == 0;
}

// The exact number of octets that the legal base64 `text` stands for.
inline std::size_t base64_decoded_size(std::string_view text) noexcept {
  return text.size() / 4 * 3 - detail::padding_of(text);
}

// Writes base64_encoded_size(size) letters.
inline void base64_encode(const std::uint8_t* from, std::size_t size, char* to) noexcept {
  const auto letter = [](std::uint32_t bits) { return detail::kBase64[bits & 63]; };
  std::size_t i = 0;
  for (; i + 3 <= size; i += 3, to += 4) {
    const std::uint32_t group = from[i] << 16 | from[i + 1] << 8 | from[i + 2];
    to[0] = letter(group >> 18), to[1] = letter(group >> 12), to[2] = letter(group >> 6), to[3] = letter(group);
  }
  if (i == size) return;
  const bool two = size - i == 2;
  const std::uint32_t group = from[i] << 16 | (two ? from[i + 1] << 8 : 0);
  to[0] = letter(group >> 18), to[1] = letter(group >> 12), to[2] = two ? letter(group >> 6) : '=', to[3] = '=';
}

// Writes base64_decoded_size(text) octets. Requires is_base64(text).
inline void base64_decode(std::string_view text, std::uint8_t* to) noexcept {
  std::size_t left = base64_decoded_size(text);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) group = group << 6 | (detail::bits_of(text[i + k]) & 63u);
    for (int shift = 16; shift >= 0 && left != 0; shift -= 8, --left) *to++ = static_cast<std::uint8_t>(group >> shift);
  }
}

}  // namespace tenon::serializers
