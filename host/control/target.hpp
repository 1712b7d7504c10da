// A request target taken apart: path segments and query parameters, percent-decoded. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "common/result.hpp"

namespace tenon::control {

struct Target {
  std::vector<std::string> segments;                          // "/v1/info" → {"v1", "info"}; "/" → {}
  std::vector<std::pair<std::string, std::string>> query;     // in order; "a" without "=" has an empty value

  // The last value of that name; null: not given. Valid as long as the target.
  const std::string* find(std::string_view name) const noexcept;
  // Given, and not one of "", "0", "false", "no"; `otherwise` when not given.
  bool flag(std::string_view name, bool otherwise) const noexcept;
  // errc::invalid_argument names the parameter, what it holds and what was expected.
  Result<std::optional<std::uint64_t>> number(std::string_view name, std::uint64_t most) const;
  Result<std::optional<Duration>> duration(std::string_view name, Duration most) const;
};

// Takes "/path?query" and the absolute form "http://host/path?query"; a fragment is no part of a target.
// errc::invalid_argument for anything else, and for a percent sign without two digits.
Result<Target> parse_target(std::string_view text);

}  // namespace tenon::control
