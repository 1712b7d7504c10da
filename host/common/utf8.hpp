// UTF-8, strictly: no overlong forms, no surrogates, nothing above U+10FFFF. All [any], none keeps state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tenon {

struct Utf8Step {
  std::uint32_t code_point = 0;  // meaningless when ill-formed
  std::uint8_t length = 0;       // bytes of the sequence, or of the ill-formed part to skip; at least 1
  bool valid = false;
};
// Looks at the first sequence of `bytes`. Requires a non-empty view.
Utf8Step utf8_step(std::string_view bytes) noexcept;

// Eight bytes at a time while it is ASCII.
bool is_valid_utf8(std::string_view bytes) noexcept;
// The offset of the first byte of the first ill-formed sequence; bytes.size() when there is none.
std::size_t find_invalid_utf8(std::string_view bytes) noexcept;
// The same text with each ill-formed part replaced by U+FFFD, as the Unicode Standard recommends.
std::string replace_invalid_utf8(std::string_view bytes);
// The longest prefix of at most `limit` bytes that does not cut a well-formed character in two.
std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept;

}  // namespace tenon
