// What stands on a terminal, line by line, and the fewest bytes that make one picture of another. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/text_table.hpp"

namespace tenon::cli {

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool operator==(const ScreenSize&) const = default;
};

struct ScreenLine {
  std::string text;       // with colours, every one of which ends in it
  std::size_t width = 0;  // columns
  bool operator==(const ScreenLine&) const = default;
};
using Screen = std::vector<ScreenLine>;  // from the top

// The parts after each other, cut at `columns`. `right`: at the right edge, if there is room for it and two spaces.
ScreenLine make_line(const std::vector<Cell>& parts, std::size_t columns, const Style& style, const Cell& right = {""});

// What to write so that a terminal of `columns` that shows `shown` shows `wanted`: the lines that differ and nothing
// else. With `whole`, for a terminal that shows anything at all: clears it and writes every line.
std::string repaint(const Screen& shown, const Screen& wanted, std::size_t columns, bool whole);

}  // namespace tenon::cli
