// How many columns of a terminal a text takes. Pure.
//
// Combining marks and other characters without a width take no column, those of East Asian width W and F, most emoji
// among them, take two, all others one; so does each byte of invalid UTF-8. Terminals differ in what they make of
// several emoji that are joined to one: here each counts, so that nothing gets wider than was thought.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

// Requires text without control characters, as printable() makes it.
std::size_t display_width(std::string_view text) noexcept;

// The text if it takes at most `columns` columns, else as much of it as fits before a "…". Characters stay whole, and
// their marks with them; marks beyond the eighth of one character are left out, so that few columns are few bytes.
std::string cut_to_width(std::string_view text, std::size_t columns);

// The same, filled up with spaces to exactly `columns` columns.
std::string fit_to_width(std::string_view text, std::size_t columns, bool right = false);

// The text in lines of at most `columns` columns, broken at spaces where there are some, else between characters. At
// least one line. Requires columns >= 2.
std::vector<std::string> wrap_to_width(std::string_view text, std::size_t columns);

}  // namespace tenon::cli
