#include "control/route_table.hpp"

#include <algorithm>
#include <iterator>

#include "common/text.hpp"

namespace tenon::control {

namespace {

constexpr RouteEntry kTable[] = {
    {"GET", "/v1/info", Route::info},
    {"GET", "/v1/processes", Route::processes},
    {"GET", "/v1/processes/{id}", Route::process},
    {"POST", "/v1/processes/{id}/{verb}", Route::process_verb},
    {"GET", "/v1/processes/{id}/logs", Route::process_logs},
    {"POST", "/v1/processes/{id}/scale", Route::scale},
    {"GET", "/v1/tree", Route::tree},
    {"GET", "/v1/plugins", Route::plugins},
    {"GET", "/v1/transports", Route::transports},
    {"GET", "/v1/routes", Route::routes},
    {"GET", "/v1/health", Route::health},
    {"GET", "/v1/deadletters", Route::dead_letters},
    {"GET", "/v1/events", Route::tail},
    {"POST", "/v1/events", Route::publish},
    {"POST", "/v1/request", Route::request},
    {"POST", "/v1/reload", Route::reload},
    {"GET", "/v1/diff", Route::diff},
    {"POST", "/v1/shutdown", Route::shutdown},
    {"POST", "/v1/upgrade", Route::upgrade},
    {"GET", "/metrics", Route::metrics},
    {"GET", "/healthz", Route::live},
    {"GET", "/readyz", Route::ready},
    {"GET", "/", Route::index},
};

// The only names that {verb} stands for, so that a typing error is an unknown path and not a call.
constexpr std::string_view kVerbs[] = {"start", "stop", "restart", "pause", "resume", "kill"};

bool fits(std::string_view pattern, const std::vector<std::string>& segments) {
  const auto pieces = pattern == "/" ? std::vector<std::string_view>() : split(pattern.substr(1), '/');
  if (pieces.size() != segments.size()) return false;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i] == "{verb}") {
      if (std::find(std::begin(kVerbs), std::end(kVerbs), segments[i]) == std::end(kVerbs)) return false;
    } else if (pieces[i].starts_with('{')) {
      if (segments[i].empty()) return false;
    } else if (pieces[i] != segments[i]) {
      return false;
    }
  }
  return true;
}

std::vector<std::string> parameters_of(std::string_view pattern, const std::vector<std::string>& segments) {
  std::vector<std::string> found;
  const auto pieces = split(pattern.substr(1), '/');
  for (std::size_t i = 0; i < pieces.size() && i < segments.size(); ++i) {
    if (pieces[i].starts_with('{')) found.push_back(segments[i]);
  }
  return found;
}

}  // namespace

std::span<const RouteEntry> route_table() noexcept { return kTable; }

RouteMatch find_route(std::string_view method, const std::vector<std::string>& segments) {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  RouteMatch match;
  for (const RouteEntry& entry : kTable) {
    if (!fits(entry.pattern, segments)) continue;
    if (entry.method == wanted) {
      return {RouteMatch::Outcome::found, &entry, parameters_of(entry.pattern, segments), {}};
    }
    match.outcome = RouteMatch::Outcome::wrong_method;
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += entry.method;
    if (entry.method == "GET") match.allowed += ", HEAD";
  }
  return match;
}

}  // namespace tenon::control
