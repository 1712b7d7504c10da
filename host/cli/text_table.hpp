// Columns aligned for a terminal. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

enum class Colour : std::uint8_t { none, green, yellow, red, cyan, dim, bold, reverse };

struct Style {
  bool colour = false;
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

class TextTable {
 public:
  struct Column {
    std::string heading;
    bool right = false;  // numbers
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Missing cells are empty; further ones than there are columns are left out.
  void add_row(std::vector<Cell> cells);
  // Headings and rows, two spaces between columns, no space at a line's end.
  std::string render(const Style& style) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tenon::cli
