// stdout and stderr of a command: whole texts, quietly gone when nobody reads them.
#pragma once

#include <string>
#include <string_view>

#include "cli/text_table.hpp"

namespace tenon::cli {

class Output {
 public:
  // The descriptors stay the caller's. Colour where stdout is a terminal and NO_COLOR is unset or empty.
  Output(int out, int error);
  static Output standard();

  // False when the reader has gone (or the disk is full): there is no point in going on.
  bool print(std::string_view text);
  // A line of its own on stderr: "tenon: TEXT". Line ends in it become spaces.
  void complain(std::string_view text);

  const Style& style() const noexcept { return style_; }
  int out() const noexcept { return out_; }

 private:
  int out_;
  int error_;
  Style style_;
};

}  // namespace tenon::cli
