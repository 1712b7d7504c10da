// What was typed, as data. CLI11 does the parsing and hides in command_line.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/top_model.hpp"
#include "cli/verb_table.hpp"
#include "common/clock.hpp"

namespace tenon::cli {

struct Arguments {
  Verb verb = Verb::info;
  std::string socket;              // --socket; empty: not given
  std::vector<std::string> names;  // ID…, TOPIC, PATTERN, CONFIG or FILE, as the verb has it
  bool json = false;
  bool wait = true;                // false with --no-wait
  bool follow = false;
  bool until_idle = false;
  bool from_input = false;         // `-`: the data comes on stdin
  std::optional<std::string> data;
  std::optional<std::string> file;
  std::optional<std::string> type;
  std::optional<std::string> signal;
  std::optional<std::uint64_t> count;  // -n
  std::optional<Duration> timeout;
  std::optional<Duration> run_for;
  std::optional<Duration> interval;
  std::optional<SortKey> sort;
};

// Either arguments, or a text to print and the code to exit with: help and version go to stdout with 0, a complaint
// to stderr.
struct Parsed {
  std::optional<Arguments> arguments;
  int exit_code = 0;
  std::string out;
  std::string error;
};

Parsed parse_command_line(int argc, const char* const* argv, const std::string& version);

}  // namespace tenon::cli
