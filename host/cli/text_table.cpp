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

// Columns that the last one keeps, if it needs them, before others are left out.
constexpr std::size_t kLeastOfTheLast = 24;

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

std::size_t TextTable::Layout::width() const noexcept {
  std::size_t width = 0;
  for (const std::size_t one : widths) width += one + (width == 0 ? 0 : gap);
  return width;
}

void TextTable::shrink(Layout& layout, std::size_t columns) const {
  layout.gap = 1;
  while (true) {
    const std::size_t width = layout.width();
    if (width <= columns) return;
    std::size_t& last = layout.widths.back();
    const std::size_t others = width - last;
    if (others + std::min(last, kLeastOfTheLast) <= columns) {
      last = columns - others;
      return;
    }
    std::size_t lowest = layout.shown.size();
    for (std::size_t i = 0; i < layout.shown.size(); ++i) {
      const int rank = columns_[layout.shown[i]].rank;
      if (rank > 0 && (lowest == layout.shown.size() || rank < columns_[layout.shown[lowest]].rank)) lowest = i;
    }
    if (lowest == layout.shown.size()) return;
    layout.shown.erase(layout.shown.begin() + static_cast<std::ptrdiff_t>(lowest));
    layout.widths.erase(layout.widths.begin() + static_cast<std::ptrdiff_t>(lowest));
  }
}

TextTable::Layout TextTable::layout(const Style& style) const {
  Layout layout;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i].text));
    layout.shown.push_back(i);
    layout.widths.push_back(width);
  }
  if (layout.width() > style.columns) shrink(layout, style.columns);
  return layout;
}

std::vector<std::string> TextTable::left_out(const Style& style) const {
  const Layout layout = this->layout(style);
  std::vector<std::string> headings;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (std::find(layout.shown.begin(), layout.shown.end(), i) == layout.shown.end())
      headings.push_back(columns_[i].heading);
  }
  return headings;
}

std::string TextTable::render(const Style& style) const {
  const Layout layout = this->layout(style);
  std::string out;
  const auto add_line = [&](const auto& cell_at) {
    std::string line;
    std::vector<std::string> lines{""};  // of the last column
    for (std::size_t i = 0; i < layout.shown.size(); ++i) {
      if (i > 0) line.append(layout.gap, ' ');
      Cell cell = cell_at(layout.shown[i]);
      const std::size_t width = layout.widths[i];
      if (i + 1 == layout.shown.size() && display_width(cell.text) > width) {
        lines = overflow_ == Overflow::cut ? std::vector{cut_to_width(cell.text, width)}
                                           : wrap_to_width(cell.text, std::max<std::size_t>(width, 2));
        cell.text = lines.front();
      }
      append_padded(line, cell, width, columns_[layout.shown[i]].right, style);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
    const std::size_t indent = layout.width() - layout.widths.back();
    for (std::size_t i = 1; i < lines.size(); ++i) out += std::string(indent, ' ') + lines[i] + '\n';
  };
  add_line([&](std::size_t i) { return Cell(columns_[i].heading, Colour::bold); });
  for (const auto& row : rows_) {
    add_line([&](std::size_t i) -> const Cell& { return row[i]; });
  }
  return out;
}

}  // namespace tenon::cli
