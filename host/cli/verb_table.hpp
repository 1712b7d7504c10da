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
  top,
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
  reload,
  diff,
  scale,
  upgrade,
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

// `words`: the first one or two of a command line. What is wrong with the verb that they name, with the one that was
// most likely meant; empty if there is such a verb, or no word at all.
std::string wrong_with_verb(std::span<const std::string_view> words);

}  // namespace tenon::cli
