// Numbers of replicas that an operator asked for, in place of the file's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tenon::app {

struct Scale {
  std::uint32_t replicas = 0;
  // What the file said when it was asked for. Once the file says something else, that is newer and counts.
  std::uint32_t instead_of = 0;
  bool operator==(const Scale&) const = default;
};

using Scales = std::map<std::string, Scale>;  // by the id of the child

// For the keeper, which gives it to the next engine. errc::bad_data for anything that encode would not have made.
std::string encode_scales(const Scales& scales);
Result<Scales> decode_scales(std::string_view bytes);

}  // namespace tenon::app
