// The version of this host; the same as in CMakeLists.txt, which a test of the checks holds against it.
#pragma once

#include <string_view>

namespace tenon::app {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace tenon::app
