// Small text functions that several modules need. All [any], none keeps state.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/utf8.hpp"

namespace tenon {

// The candidate that `name` was most likely meant to be, by Damerau-Levenshtein distance (optimal string alignment)
// within a third of the longer length (at least 1); the first of equals; empty when none is near. Names over 128 bytes
// have no neighbours.
std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> candidates);
std::optional<std::string_view> nearest_name(std::string_view name, const std::vector<std::string>& candidates);

// Shell-like: `*` any run, `?` one byte, `[a-z]` `[!a-z]` a set, `\x` the byte x. `*` also crosses '/' and '.'. An
// unclosed `[` stands for itself. Linear in pattern × text, without recursion.
bool glob_match(std::string_view pattern, std::string_view text) noexcept;
// True if the text holds a character that glob_match treats specially.
bool has_glob(std::string_view text) noexcept;

// Empty pieces are kept: split("a,,b", ',') has three; split("", ',') has one. The views point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string_view> pieces, std::string_view separator);
std::string join(const std::vector<std::string>& pieces, std::string_view separator);
// Without the leading and trailing spaces, tabs, CR and LF.
std::string_view trim(std::string_view text) noexcept;

// Appends `text` so that it is safe on one line of a terminal or log: control characters, quotes, backslashes, DEL, C1
// controls, line separators, bidirectional overrides and invalid UTF-8 are escaped (\n, \x1b, \u202e).
void append_escaped(std::string& out, std::string_view text);

// A value found somewhere, in quotes and escaped as above; after about `limit` bytes of input it ends with … and the
// full length: "abc…" (5000 bytes).
std::string quote_for_message(std::string_view value, std::size_t limit = 64);

}  // namespace tenon
