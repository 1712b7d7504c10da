// The columns of `tenon top`: which there are, how wide they get, and which of them a narrow terminal shows. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/text_table.hpp"
#include "cli/top_model.hpp"

namespace tenon::cli {

class TopColumns {
 public:
  // Widths follow from all rows, so that scrolling moves nothing. On `columns` columns those of a terminal that fit:
  // names, statuses and what is sorted by always, the others by how much they are asked for.
  TopColumns(const std::vector<TopRow>& rows, const TopState& state, std::size_t columns);

  // The parts of a line, spaces between columns among them; the last one may be longer than there is room.
  std::vector<Cell> cells(const TopRow& row) const;
  std::string headings() const;

 private:
  struct Shown {
    std::size_t index;  // in the table of columns
    std::size_t width;
  };
  void drop_what_does_not_fit(std::size_t columns, bool troubled_only);
  std::size_t width_with(std::size_t gap) const noexcept;
  std::string heading(std::size_t index) const;

  SortKey sort_;
  bool reversed_;
  std::vector<Shown> shown_;
  std::size_t gap_ = 2;
};

// "12.3": percent of one processor.
std::string percent_text(double share);

}  // namespace tenon::cli
