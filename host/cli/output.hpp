// stdout and stderr of a command: whole texts, quietly gone when nobody reads them.
#pragma once

#include <string>
#include <string_view>

#include "cli/text_table.hpp"

namespace tenon::cli {

class Output {
 public:
  // The descriptors stay the caller's. Colour where stdout is a terminal and NO_COLOR is unset or empty; as many columns
  // as that terminal has now.
  Output(int out, int error);
  static Output standard();

  // False when there is no point in going on; write_error() says why.
  bool print(std::string_view text);
  // The errno of the write that failed; 0: none has. EPIPE, a reader that has gone, is a quiet end and no failure.
  int write_error() const noexcept { return write_error_; }
  // A line of its own on stderr: "tenon: TEXT". Line ends in it become spaces.
  void complain(std::string_view text);
  // The same for a list of problems: its lines stay lines.
  void complain_in_lines(std::string_view text);

  const Style& style() const noexcept { return style_; }
  int out() const noexcept { return out_; }

 private:
  int out_;
  int error_;
  int write_error_ = 0;
  Style style_;
};

}  // namespace tenon::cli
