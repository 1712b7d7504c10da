// What the control API's server and its clients agree on: paths, media types, names on the wire. README.md is the
// whole story.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "common/clock.hpp"

namespace tenon::control {

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kEventType = "application/cloudevents+json";
inline constexpr std::string_view kProblemType = "application/problem+json";
inline constexpr std::string_view kLinesType = "application/x-ndjson";
inline constexpr std::string_view kStreamType = "text/event-stream";
inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// The server-sent event that tells a slow client how many items it has missed: data is {"dropped": N}. Items
// themselves have no name. In a stream of lines the same object stands on a line of its own.
inline constexpr std::string_view kDroppedEvent = "dropped";

// Several processes in one path segment: POST /v1/processes/a,b/stop. No id holds a comma.
inline constexpr char kSelectorSeparator = ',';

inline constexpr Duration kDefaultRequestTimeout = std::chrono::seconds(30);
inline constexpr Duration kMaxRequestTimeout = std::chrono::minutes(5);
inline constexpr std::size_t kMaxBody = 8 << 20;
inline constexpr std::size_t kDefaultLogLines = 100;
inline constexpr std::size_t kMaxLogLines = 100'000;
inline constexpr std::size_t kMaxListedLetters = 100'000;

}  // namespace tenon::control
