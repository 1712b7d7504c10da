// Which call of the API a method and a path mean. Pure: one table, one search.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/target.hpp"

namespace tenon::control {

enum class Route : std::uint8_t {
  info, processes, process, process_verb, process_logs, tree, plugins, transports, routes, health, dead_letters,
  publish, request, tail, reload, diff, scale, shutdown, upgrade, metrics, live, ready, index,
};

struct RouteEntry {
  std::string_view method;   // GET stands for HEAD too
  std::string_view pattern;  // a segment in braces matches any one; also the label of the request counter
  Route route;
};

std::span<const RouteEntry> route_table() noexcept;

struct RouteMatch {
  enum class Outcome : std::uint8_t { found, unknown_path, wrong_method };
  Outcome outcome = Outcome::unknown_path;
  const RouteEntry* entry = nullptr;    // null unless found
  std::vector<std::string> parameters{};  // what stands for the segments in braces, in order
  std::string allowed{};                // wrong_method: what the Allow field says
};

RouteMatch find_route(std::string_view method, const std::vector<std::string>& segments);

}  // namespace tenon::control
