// Names that nobody guesses or has by chance.
#pragma once

#include <cstddef>
#include <string>

namespace tenon::keeper {

// 2 × `bytes` hexadecimal digits from the kernel's generator; at most 64 bytes.
std::string random_hex(std::size_t bytes);

}  // namespace tenon::keeper
