#include "keeper/random_name.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <sys/random.h>

namespace tenon::keeper {

std::string random_hex(std::size_t bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 64> random{};
  bytes = std::min(bytes, random.size());
  // Up to 256 bytes come whole, and without a signal between.
  if (::getrandom(random.data(), bytes, 0) != static_cast<ssize_t>(bytes)) std::abort();
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += {kDigits[random[i] >> 4], kDigits[random[i] & 15]};
  return text;
}

}  // namespace tenon::keeper
