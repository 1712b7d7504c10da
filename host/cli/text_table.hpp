// Columns aligned for a terminal. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

enum class Colour : std::uint8_t { none, green, yellow, red, cyan, dim, bold, reverse };

// What the output can show.
struct Style {
  static constexpr std::size_t kAnyWidth = SIZE_MAX;

  bool colour = false;
  std::size_t columns = kAnyWidth;  // of the terminal; kAnyWidth: it is none, and nothing is cut or wrapped

  // For what is indented so far.
  Style within(std::size_t indent) const noexcept {
    return {colour, columns == kAnyWidth ? kAnyWidth : columns - std::min(columns, indent)};
  }
};

// The text in that colour, if the style has colours.
std::string paint(std::string_view text, Colour colour, const Style& style);

// Safe on one line of a terminal: control characters and invalid UTF-8 are escaped, all else stays.
std::string printable(std::string_view text);

struct Cell {
  Cell(std::string t, Colour c = Colour::none) : text(std::move(t)), colour(c) {}
  std::string text;  // printable
  Colour colour;
};

// On a terminal that is too narrow, first the spaces between columns shrink, then the last column, whose texts are
// wrapped within it or cut, and then columns of a rank are left out, the lowest first. What is still too wide is the
// terminal's affair.
class TextTable {
 public:
  struct Column {
    std::string heading;
    bool right = false;  // numbers
    int rank = 0;        // 0: never left out
  };
  enum class Overflow : std::uint8_t { wrap, cut };
  explicit TextTable(std::vector<Column> columns, Overflow overflow = Overflow::wrap)
      : columns_(std::move(columns)), overflow_(overflow) {}

  // Missing cells are empty; further ones than there are columns are left out.
  void add_row(std::vector<Cell> cells);
  // Headings and rows, two spaces between columns, no space at a line's end.
  std::string render(const Style& style) const;

  // The headings that render() leaves out on such a terminal.
  std::vector<std::string> left_out(const Style& style) const;

 private:
  struct Layout {
    std::size_t gap = 2;
    std::vector<std::size_t> shown;   // indices of columns
    std::vector<std::size_t> widths;  // of those
    std::size_t width() const noexcept;
  };
  Layout layout(const Style& style) const;
  void shrink(Layout& layout, std::size_t columns) const;

  std::vector<Column> columns_;
  Overflow overflow_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tenon::cli
