// What differs between two configurations, and what a reload does about it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json_writer.hpp"
#include "integration/host_config.hpp"

namespace tenon::app {

enum class ChangeEffect : std::uint8_t {
  started,    // it is new
  stopped,    // it is gone
  restarted,  // a running process cannot be told
  next_start, // a running process cannot be told, and it is paused or stopped: it is left alone
  applied,    // holds at once
  next_run,   // holds when the host itself is started again
};
std::string_view to_string(ChangeEffect effect) noexcept;

struct ConfigChange {
  std::string section;            // "host", "process", "supervisor", "transport", "route", "schemas"
  std::string name;               // "counter.1"; a route's topic; the section's own name where there is one
  ChangeEffect effect = ChangeEffect::applied;
  std::vector<std::string> keys;  // as the config names them; empty for what is new or gone
  bool operator==(const ConfigChange&) const = default;
};

// The host and its schemas first, then transports and routes, supervisors and processes in the order of the new tree,
// and those of them that are gone. Values are not named: they may be secrets.
std::vector<ConfigChange> compare_configs(const integration::HostConfig& now, const integration::HostConfig& fresh);

// An array of {"section", "name", "effect", "keys"}.
void write_changes(JsonWriter& json, const std::vector<ConfigChange>& changes);

}  // namespace tenon::app
