// Every verb with its help text and example: the one place to look when a verb is added.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tenon::cli {

enum class Verb : std::uint8_t {
  run,
  check,
  info,
  ps,
  tree,
  status,
  start,
  stop,
  restart,
  pause,
  resume,
  kill,
  logs,
  send,
  request,
  tail,
  routes,
  transports,
  health,
  plugin_list,
  plugin_info,
  dead_letters_list,
  shutdown,
};

struct VerbEntry {
  Verb verb;
  std::string_view name;     // one word, or a group and a word: "plugin list"
  std::string_view summary;  // one line of the overview
  std::string_view example;  // one or more command lines
};

std::span<const VerbEntry> verb_table() noexcept;
const VerbEntry& entry_of(Verb verb) noexcept;

// The verb that a mistyped word was most likely meant to be.
std::optional<std::string> nearest_verb(std::string_view word);

}  // namespace tenon::cli
