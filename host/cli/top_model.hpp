// What the person at `tenon top` has chosen, and which rows that makes. Pure.
//
// The model. TopState is sort order, filter, what is shown and how far it is scrolled. press() makes the next state of
// a key; arrange() makes the rows of a snapshot and a state. A screen is drawn from both by top_view.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/key_reader.hpp"
#include "cli/top_snapshot.hpp"

namespace tenon::cli {

enum class SortKey : std::uint8_t { cpu, memory, restarts, id, status, uptime };

// "cpu", …, as --sort takes it.
std::string_view to_string(SortKey key) noexcept;
std::optional<SortKey> parse_sort_key(std::string_view name) noexcept;

struct TopState {
  static constexpr std::size_t kLongestFilter = 128;  // bytes

  enum class Page : std::uint8_t { processes, help };

  // Numbers from the largest, names from a, statuses from the worst; what has no value comes last.
  SortKey sort = SortKey::cpu;
  bool reversed = false;
  bool troubled_only = false;
  bool tree = false;       // processes below their supervisors
  bool typing = false;     // keys go to the filter
  std::string filter{};    // what id, status, health, reason or supervisor must contain, in any case of ASCII letters
  std::size_t scrolled{};  // rows above the first one shown; may be beyond the end when rows have gone
  Page page = Page::processes;
  bool operator==(const TopState&) const = default;
};

// How much there is to scroll.
struct TopExtent {
  std::size_t rows = 0;  // that arrange() makes
  std::size_t room = 1;  // rows that are shown at once
};

enum class TopAction : std::uint8_t { none, quit, refresh, redraw };

struct Pressed {
  TopState state;
  TopAction action = TopAction::none;
};
Pressed press(TopState state, const Key& key, const TopExtent& extent);

// The first row shown: `scrolled`, but not beyond what fills the room.
std::size_t first_row(const TopState& state, const TopExtent& extent) noexcept;

// A process, or with TopState::tree the supervisor above some; the other pointer is null. They point into the
// snapshot.
struct TopRow {
  const TopProcess* process = nullptr;
  const TopSupervisor* supervisor = nullptr;
  std::size_t depth = 0;  // in the tree; 0 without
};
std::vector<TopRow> arrange(const TopSnapshot& snapshot, const TopState& state);

}  // namespace tenon::cli
