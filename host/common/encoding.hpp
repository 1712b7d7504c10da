// Bytes as text: base64, percent-encoding, hexadecimal. All [any].
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tenon {

// RFC 4648 §4 with padding.
std::string base64_encode(std::string_view bytes);
void base64_append(std::string& out, std::string_view bytes);
constexpr std::size_t base64_size(std::size_t bytes) noexcept { return (bytes + 2) / 3 * 4; }
// Strict: standard alphabet, full padding, no white space, unused bits zero. errc::bad_data names the offset otherwise.
Result<std::string> base64_decode(std::string_view text);

// RFC 3986: everything but letters, digits, '-', '.', '_', '~' and what `keep` names becomes %XX.
std::string percent_encode(std::string_view bytes, std::string_view keep = {});
// '+' stands for itself. errc::bad_data for a % without two hexadecimal digits.
Result<std::string> percent_decode(std::string_view text);

// Lower case, two digits a byte.
std::string hex_encode(std::string_view bytes);
// Either case. errc::bad_data for an odd length or another character.
Result<std::string> hex_decode(std::string_view text);

}  // namespace tenon
