// How the readers say no: every text names what is wrong, where (the octet, counted from 0) and what to write instead.
// These paths may be slow; they are kept out of line so that the readers stay small.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tenon/sdk/error.hpp>

namespace tenon::serializers {

// What somebody sent, made fit for one line of text: at most 40 octets, anything unprintable as \xNN.
inline std::string printable(std::string_view text) {
  constexpr std::size_t kShown = 40;
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text.substr(0, kShown)) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[octet >> 4];
      out += kHex[octet & 15];
    }
  }
  if (text.size() > kShown) out += "...";
  return out;
}

// Malformed input: `what` is wrong at `offset`.
[[noreturn, gnu::cold, gnu::noinline]] inline void refuse(std::string_view what, std::size_t offset) {
  throw sdk::bad_data("octet " + std::to_string(offset) + ": " + std::string(what));
}

// The attribute whose value is at `offset` breaks a rule.
[[noreturn, gnu::cold, gnu::noinline]] inline void refuse_attribute(std::string_view name, std::size_t offset,
                                                                    std::string_view rule) {
  throw sdk::bad_data("attribute \"" + printable(name) + "\" at octet " + std::to_string(offset) + ": " +
                      std::string(rule));
}

// Well-formed, but the other format has no word for it.
[[noreturn, gnu::cold, gnu::noinline]] inline void untranslatable(std::string_view what) {
  throw sdk::Error(TENON_ERR_UNTRANSLATABLE, std::string(what), TENON_FAULT_CALLER);
}

// The host called with something that this ABI does not allow.
[[noreturn, gnu::cold, gnu::noinline]] inline void invalid_argument(std::string_view what) {
  throw sdk::Error(TENON_ERR_INVALID_ARGUMENT, std::string(what), TENON_FAULT_CALLER);
}

}  // namespace tenon::serializers
