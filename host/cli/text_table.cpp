#include "cli/text_table.hpp"

#include <algorithm>

#include "cli/display_width.hpp"
#include "common/text.hpp"
#include "common/utf8.hpp"

namespace tenon::cli {

namespace {

std::string_view sequence(Colour colour) noexcept {
  switch (colour) {
    case Colour::none: return "";
    case Colour::green: return "\x1b[32m";
    case Colour::yellow: return "\x1b[33m";
    case Colour::red: return "\x1b[31m";
    case Colour::cyan: return "\x1b[36m";
    case Colour::dim: return "\x1b[2m";
    case Colour::bold: return "\x1b[1m";
    case Colour::reverse: return "\x1b[7m";
  }
  return "";
}

void append_padded(std::string& line, const Cell& cell, std::size_t width, bool right, const Style& style) {
  const std::size_t own = display_width(cell.text);
  const std::string space(width > own ? width - own : 0, ' ');
  if (right) line += space;
  line += paint(cell.text, cell.colour, style);
  if (!right) line += space;
}

}  // namespace

std::string paint(std::string_view text, Colour colour, const Style& style) {
  if (!style.colour || colour == Colour::none || text.empty()) return std::string(text);
  return std::string(sequence(colour)).append(text).append("\x1b[0m");
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    const std::string_view piece = text.substr(0, step.length);
    // Quotes and backslashes are escaped by append_escaped too, and need not be here.
    if (piece == "\"" || piece == "\\" || piece == "'") {
      out += piece;
    } else {
      append_escaped(out, piece);
    }
    text.remove_prefix(step.length);
  }
  return out;
}

void TextTable::add_row(std::vector<Cell> cells) {
  cells.resize(columns_.size(), Cell(""));
  rows_.push_back(std::move(cells));
}

std::string TextTable::render(const Style& style) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i].text));
    widths.push_back(width);
  }
  std::string out;
  const auto add_line = [&](const auto& cell_at) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += "  ";
      append_padded(line, cell_at(i), widths[i], columns_[i].right, style);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  add_line([&](std::size_t i) { return Cell(columns_[i].heading, Colour::bold); });
  for (const auto& row : rows_) {
    add_line([&](std::size_t i) -> const Cell& { return row[i]; });
  }
  return out;
}

}  // namespace tenon::cli
