// The picture of `tenon top`. Pure: what is known, what was chosen, size and time in; lines out.
#pragma once

#include <cstddef>
#include <string>

#include "cli/screen.hpp"
#include "cli/top_model.hpp"
#include "cli/top_snapshot.hpp"
#include "common/clock.hpp"

namespace tenon::cli {

struct TopPicture {
  const TopSnapshot& snapshot;
  const TopState& state;
  Duration interval{};    // between two snapshots
  MonotonicTime now{};    // by the clock of the snapshot
  std::string trouble{};  // why the snapshot is not newer; empty: it is as new as it should be
};

// Exactly size.rows lines of at most size.columns: facts, one row a process with headings, and a line of hints. What
// does not fit is left out: hints and facts first where rows are few, the least asked for where columns are.
Screen draw_top(const TopPicture& picture, ScreenSize size, const Style& style);

// How many rows of processes such a screen has room for; at least 1.
std::size_t top_room(ScreenSize size) noexcept;

// The same facts and every row, without hints: lines of at most style.columns.
std::string print_top(const TopPicture& picture, const Style& style);

}  // namespace tenon::cli
