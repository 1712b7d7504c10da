#include "cli/screen.hpp"

#include <algorithm>

#include "cli/display_width.hpp"

namespace tenon::cli {

ScreenLine make_line(const std::vector<Cell>& parts, std::size_t columns, const Style& style, const Cell& right) {
  ScreenLine line;
  const auto add = [&](const Cell& part) {
    const std::string text = cut_to_width(part.text, columns - line.width);
    line.text += paint(text, part.colour, style);
    line.width += display_width(text);
  };
  for (const Cell& part : parts) {
    const bool cut = display_width(part.text) > columns - line.width;
    add(part);
    if (cut) return line;  // it ends with "…"
  }
  const std::size_t wanted = display_width(right.text);
  if (wanted == 0 || line.width + 2 + wanted > columns) return line;
  add(std::string(columns - wanted - line.width, ' '));
  add(right);
  return line;
}

std::string repaint(const Screen& shown, const Screen& wanted, std::size_t columns, bool whole) {
  std::string out;
  if (whole) out = "\x1b[0m\x1b[2J";
  const std::size_t rows = std::max(wanted.size(), whole ? 0 : shown.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const ScreenLine line = row < wanted.size() ? wanted[row] : ScreenLine{};
    const ScreenLine before = !whole && row < shown.size() ? shown[row] : ScreenLine{};
    if (line == before) continue;
    out += "\x1b[" + std::to_string(row + 1) + ";1H" + line.text;
    // In a full line the cursor stays on the last character, which this would erase.
    if (line.width < columns) out += "\x1b[K";
  }
  return out;
}

}  // namespace tenon::cli
