#include "common/encoding.hpp"

#include <array>
#include <cstdint>

namespace tenon {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHex = "0123456789abcdef";

constexpr std::array<std::int8_t, 256> inverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr std::array<std::int8_t, 256> kBase64Value = inverse(kBase64);

std::uint32_t byte_at(std::string_view bytes, std::size_t i) noexcept { return static_cast<unsigned char>(bytes[i]); }

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error bad(std::string_view what, std::size_t offset, std::string_view expected) {
  return Error(errc::bad_data, "not " + std::string(what) + " at byte " + std::to_string(offset) + ": expected " +
                                   std::string(expected), fault::caller);
}

Error bad_base64(std::size_t offset, std::string_view expected) { return bad("base64", offset, expected); }

// The last group: two or three digits, then padding. Unused bits must be zero, or two texts would mean the same bytes.
Status decode_padded(std::string_view group, std::size_t offset, std::string& out) {
  const std::size_t digits = group[2] == '=' ? 2 : 3;
  if (group[3] != '=') return bad_base64(offset + 3, "'=' after '='");
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int value = kBase64Value[byte_at(group, i)];
    if (value < 0) return bad_base64(offset + i, "A-Z, a-z, 0-9, '+' or '/'");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
  }
  const std::uint32_t unused = digits == 2 ? bits & 0xF : bits & 0x3;
  if (unused != 0) return bad_base64(offset + digits - 1, "a last digit whose unused bits are zero");
  if (digits == 2) {
    out += static_cast<char>(bits >> 4);
  } else {
    out += static_cast<char>(bits >> 10);
    out += static_cast<char>(bits >> 2 & 0xFF);
  }
  return {};
}

}  // namespace

void base64_append(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + base64_size(bytes.size()));
  char* to = out.data() + start;
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t bits = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    *to++ = kBase64[bits >> 18];
    *to++ = kBase64[bits >> 12 & 63];
    *to++ = kBase64[bits >> 6 & 63];
    *to++ = kBase64[bits & 63];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return;
  const std::uint32_t bits = byte_at(bytes, i) << 16 | (rest == 2 ? byte_at(bytes, i + 1) << 8 : 0);
  *to++ = kBase64[bits >> 18];
  *to++ = kBase64[bits >> 12 & 63];
  *to++ = rest == 2 ? kBase64[bits >> 6 & 63] : '=';
  *to++ = '=';
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  base64_append(out, bytes);
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return bad_base64(text.size(), "a length that is a multiple of 4, padded with '='");
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    if (last && (text[i + 3] == '=' || text[i + 2] == '=')) {
      TENON_TRY(decode_padded(text.substr(i, 4), i, out));
      break;
    }
    std::uint32_t bits = 0;
    for (std::size_t j = i; j < i + 4; ++j) {
      const int value = kBase64Value[byte_at(text, j)];
      if (value < 0) return bad_base64(j, "A-Z, a-z, 0-9, '+' or '/'");
      bits = bits << 6 | static_cast<std::uint32_t>(value);
    }
    out += static_cast<char>(bits >> 16);
    out += static_cast<char>(bits >> 8 & 0xFF);
    out += static_cast<char>(bits & 0xFF);
  }
  return out;
}

std::string percent_encode(std::string_view bytes, std::string_view keep) {
  constexpr std::string_view kUpperHex = "0123456789ABCDEF";  // RFC 3986 §2.1 asks for upper case
  constexpr std::string_view kUnreserved = "-._~";
  std::string out;
  out.reserve(bytes.size());
  for (char c : bytes) {
    const bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (alphanumeric || kUnreserved.find(c) != kUnreserved.npos || keep.find(c) != keep.npos) {
      out += c;
    } else {
      const auto b = static_cast<unsigned char>(c);
      out += {'%', kUpperHex[b >> 4], kUpperHex[b & 15]};
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return bad("percent-encoding", i, "two hexadecimal digits after '%'");
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

std::string hex_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += kHex[b >> 4];
    out += kHex[b & 15];
  }
  return out;
}

Result<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return bad("hexadecimal", text.size(), "an even number of digits");
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return bad("hexadecimal", high < 0 ? i : i + 1, "0-9, a-f or A-F");
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

}  // namespace tenon
