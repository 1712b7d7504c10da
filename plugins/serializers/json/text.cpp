#include "text.hpp"

#include <charconv>
#include <cstring>

#include "../shared/base64.hpp"

namespace tenon::json_plugin {

using serializers::Output;

namespace {

bool must_escape(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

// Whether any of eight octets must be escaped; may say so falsely for octets above 0x7f, never the other way round.
bool any_must_escape(std::uint64_t octets) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101ull;
  const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word; };
  const std::uint64_t control = (octets - kOnes * 0x20) & ~octets;
  const std::uint64_t quote = has_zero(octets ^ kOnes * '"');
  const std::uint64_t backslash = has_zero(octets ^ kOnes * '\\');
  return ((control | quote | backslash) & (kOnes << 7)) != 0;
}

// The length of the part of `text` before the first octet that must be escaped.
std::size_t clean_length(std::string_view text) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t octets;
    std::memcpy(&octets, text.data() + i, 8);
    if (any_must_escape(octets)) break;
  }
  while (i < text.size() && !must_escape(text[i])) ++i;
  return i;
}

void put_escape(Output& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto octet = static_cast<unsigned char>(c);
  switch (c) {
    case '"': return out.append("\\\"");
    case '\\': return out.append("\\\\");
    case '\b': return out.append("\\b");
    case '\f': return out.append("\\f");
    case '\n': return out.append("\\n");
    case '\r': return out.append("\\r");
    case '\t': return out.append("\\t");
    default: {
      const char escape[] = {'\\', 'u', '0', '0', kHex[octet >> 4], kHex[octet & 15]};
      return out.append({escape, sizeof escape});
    }
  }
}

template <class Value>
void put_digits(Output& out, Value value) {
  constexpr std::size_t kLongest = 20;
  char* to = out.room(kLongest);
  out.commit(static_cast<std::size_t>(std::to_chars(to, to + kLongest, value).ptr - to));
}

}  // namespace

void put_string(Output& out, std::string_view text) {
  std::size_t clean = clean_length(text);
  char* to = out.room(clean + 2);
  *to = '"';
  if (clean != 0) std::memcpy(to + 1, text.data(), clean);
  out.commit(clean + 1);
  text.remove_prefix(clean);
  while (!text.empty()) {
    put_escape(out, text.front());
    text.remove_prefix(1);
    clean = clean_length(text);
    out.append(text.substr(0, clean));
    text.remove_prefix(clean);
  }
  out.put('"');
}

void put_base64(Output& out, std::string_view octets) {
  const std::size_t size = serializers::base64_encoded_size(octets.size());
  char* to = out.room(size + 2);
  to[0] = '"';
  serializers::base64_encode(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(), to + 1);
  to[size + 1] = '"';
  out.commit(size + 2);
}

void put_integer(Output& out, std::int64_t value) { put_digits(out, value); }
void put_natural(Output& out, std::uint64_t value) { put_digits(out, value); }

void put_real(Output& out, double value) {
  constexpr std::size_t kLongest = 32;
  char* to = out.room(kLongest);
  char* end = std::to_chars(to, to + kLongest - 2, value).ptr;
  const std::string_view text(to, static_cast<std::size_t>(end - to));
  if (text.find_first_of(".e") == std::string_view::npos) {
    *end++ = '.';
    *end++ = '0';
  }
  out.commit(static_cast<std::size_t>(end - to));
}

}  // namespace tenon::json_plugin
