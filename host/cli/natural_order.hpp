// Names in the order in which people count. Pure.
#pragma once

#include <string_view>

namespace tenon::cli {

// Bytewise, but numbers within names by their value: w.2 before w.10.
bool natural_less(std::string_view a, std::string_view b) noexcept;

}  // namespace tenon::cli
