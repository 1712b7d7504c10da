// Small text functions that several modules need. All [any], none keeps state.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. Eight bytes at a time while it is ASCII.
bool is_valid_utf8(std::string_view bytes) noexcept;
// The offset of the first byte of the first ill-formed sequence; bytes.size() when there is none.
std::size_t find_invalid_utf8(std::string_view bytes) noexcept;
// The same text with each ill-formed sequence replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view bytes);
// The longest prefix of at most `limit` bytes that does not cut a well-formed character in two.
std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept;

// Empty pieces are kept: split("a,,b", ',') has three; split("", ',') has one. The views point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string_view> pieces, std::string_view separator);
std::string join(const std::vector<std::string>& pieces, std::string_view separator);
// Without the leading and trailing spaces, tabs, CR and LF.
std::string_view trim(std::string_view text) noexcept;

// A value found somewhere, in quotes, safe for one line of a terminal or log: control characters, quotes, backslashes,
// DEL, C1 controls, bidirectional overrides and invalid UTF-8 are escaped; after about `limit` bytes of input it ends
// with … and the full length: "\"abc…\" (5000 bytes)".
std::string quote_for_message(std::string_view value, std::size_t limit = 64);

}  // namespace tenon
