#include "cli/values.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "common/units.hpp"

namespace tenon::cli {

namespace {

bool is_scalar(const JsonValue& value) { return !value.is_array() && !value.is_object(); }

std::string joined(const JsonValue& array) {
  std::string out;
  for (const JsonValue element : array.elements()) {
    if (!is_scalar(element)) return printable(array.to_json());
    if (!out.empty()) out += ", ";
    out += value_text("", element);
  }
  return out;
}

std::string milliseconds_text(double ms) {
  // Measured latencies are often far below a millisecond.
  if (ms < 1000 && ms != std::floor(ms)) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f ms", ms);
    return text;
  }
  return format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", seconds);
  return text;
}

}  // namespace

std::string value_text(std::string_view key, const JsonValue& value) {
  if (value.is_null()) return std::string(kNothing);
  if (const auto text = value.as_string()) return printable(*text);
  if (const auto flag = value.as_bool()) return *flag ? "yes" : "no";
  if (const auto number = value.as_double()) {
    if (key.ends_with("_ms")) return milliseconds_text(*number);
    if (key.ends_with("_seconds")) return seconds_text(*number);
    const auto bytes = value.as_u64();
    if (bytes && (key.ends_with("_bytes") || key == "bytes")) return format_bytes(*bytes);
  }
  if (value.is_array()) return joined(value);
  return printable(value.to_json());
}

std::string member_text(const JsonValue& object, std::string_view key, std::string_view otherwise) {
  const auto found = object.find(key);
  if (!found || found->is_null()) return std::string(otherwise);
  std::string text = value_text(key, *found);
  return text.empty() ? std::string(otherwise) : text;
}

std::optional<std::int64_t> member_number(const JsonValue& object, std::string_view key) {
  const auto found = object.find(key);
  return found ? found->as_i64() : std::nullopt;
}

std::string process_reason(const JsonValue& process) {
  std::string text = member_text(process, "reason", "");
  const auto parked = process.find("parked");
  if (!parked || !parked->is_object()) return text;
  if (!text.empty()) text += "; ";
  text += "waits for room at " + member_text(*parked, "waits_for");
  if (member_text(*parked, "limit") == "limits.events") text += " (limits.events is reached)";
  return text;
}

Colour colour_of_state(std::string_view state) noexcept {
  constexpr std::string_view kGood[] = {"idle",      "busy",   "healthy", "loaded", "running",
                                        "connected", "closed", "up",      "ok"};
  constexpr std::string_view kMoving[] = {"initializing", "stopping",  "starting", "degraded", "connecting",
                                          "reconnecting", "half_open", "shadowed", "paused"};
  constexpr std::string_view kBad[] = {"error",        "unhealthy", "rejected", "quarantined",
                                       "disconnected", "open",      "failed",   "escalated"};
  const auto in = [state](const auto& names) {
    return std::find(std::begin(names), std::end(names), state) != std::end(names);
  };
  if (in(kGood)) return Colour::green;
  if (in(kMoving)) return Colour::yellow;
  if (in(kBad)) return Colour::red;
  return Colour::none;
}

}  // namespace tenon::cli
