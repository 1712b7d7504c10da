// Arithmetic on Interest, for those who implement or decide what to wait for.
#pragma once

#include <cstdint>

#include "event/loop.hpp"

namespace tenon::event {

constexpr Interest operator|(Interest a, Interest b) noexcept {
  return static_cast<Interest>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr Interest operator&(Interest a, Interest b) noexcept {
  return static_cast<Interest>(static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b));
}
constexpr bool includes(Interest set, Interest part) noexcept { return (set & part) == part; }

}  // namespace tenon::event
