#include "common/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tenon {

namespace {

constexpr std::size_t kMaxName = 128;

// Optimal string alignment distance; three rows suffice, because a transposition looks two rows back.
std::size_t edit_distance(std::string_view a, std::string_view b) noexcept {
  std::array<std::array<std::size_t, kMaxName + 1>, 3> rows;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& now = rows[i % 3];
    const auto& before = rows[(i + 2) % 3];
    const auto& two_before = rows[(i + 1) % 3];
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({before[j] + 1, now[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) now[j] = std::min(now[j], two_before[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

template <class Candidates>
std::optional<std::string_view> nearest(std::string_view name, const Candidates& candidates) {
  if (name.size() > kMaxName) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = kMaxName;
  for (std::string_view candidate : candidates) {
    if (candidate.size() > kMaxName) continue;
    const std::size_t longer = std::max(name.size(), candidate.size());
    const std::size_t allowed = std::max<std::size_t>(1, longer / 3);
    if (longer - std::min(name.size(), candidate.size()) > allowed) continue;
    const std::size_t distance = edit_distance(name, candidate);
    // A distance of the whole length shares nothing with the name: "x" is not near "y".
    if (distance > allowed || distance >= longer || distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

struct SetMatch {
  bool matches;
  std::size_t length;  // of the set in the pattern; 0: no closing bracket, so '[' is a plain character
};

// `pattern` starts with '['. A ']' that comes first is a member of the set.
SetMatch match_set(std::string_view pattern, unsigned char c) noexcept {
  std::size_t i = 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (std::size_t first = i; i < pattern.size(); ++i) {
    if (pattern[i] == ']' && i > first) return {found != negated, i + 1};
    unsigned char low = static_cast<unsigned char>(pattern[i]);
    unsigned char high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    }
    found = found || (low <= c && c <= high);
  }
  return {false, 0};
}

// Bytes of the pattern that match one character `c`; 0 when they do not.
std::size_t match_one(std::string_view pattern, char c) noexcept {
  if (pattern[0] == '?') return 1;
  if (pattern[0] == '[') {
    const SetMatch set = match_set(pattern, static_cast<unsigned char>(c));
    if (set.length != 0) return set.matches ? set.length : 0;
  }
  if (pattern[0] == '\\' && pattern.size() > 1) return pattern[1] == c ? 2 : 0;
  return pattern[0] == c ? 1 : 0;
}

bool needs_escape(std::uint32_t c) noexcept {
  return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7F && c <= 0x9F) ||     // controls
         (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||      // line separators, direction marks
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;                         // isolates, byte order mark
}

void append_code_point_escape(std::string& out, std::uint32_t c) {
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    default: break;
  }
  char buffer[12];
  std::snprintf(buffer, sizeof buffer, c < 0x80 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(c));
  out += buffer;
}

template <class Pieces>
std::string join_pieces(const Pieces& pieces, std::string_view separator) {
  std::string out;
  bool first = true;
  for (std::string_view piece : pieces) {
    if (!first) out += separator;
    first = false;
    out += piece;
  }
  return out;
}

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> candidates) {
  return nearest(name, candidates);
}
std::optional<std::string_view> nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  return nearest(name, candidates);
}

// Greedy with one restart point: on a mismatch the last '*' swallows one byte more. Earlier stars need no revisiting.
bool glob_match(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
      continue;
    }
    const std::size_t used = p < pattern.size() ? match_one(pattern.substr(p), text[t]) : 0;
    if (used != 0) {
      p += used, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool has_glob(std::string_view text) noexcept { return text.find_first_of("*?[\\") != std::string_view::npos; }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

std::string join(std::span<const std::string_view> pieces, std::string_view separator) {
  return join_pieces(pieces, separator);
}
std::string join(const std::vector<std::string>& pieces, std::string_view separator) {
  return join_pieces(pieces, separator);
}

std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    if (!step.valid) {
      for (char c : text.substr(0, step.length)) {
        char buffer[8];
        std::snprintf(buffer, sizeof buffer, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += buffer;
      }
    } else if (needs_escape(step.code_point)) {
      append_code_point_escape(out, step.code_point);
    } else {
      out += text.substr(0, step.length);
    }
    text.remove_prefix(step.length);
  }
}

std::string quote_for_message(std::string_view value, std::size_t limit) {
  const std::string_view shown = utf8_prefix(value, limit);
  std::string out = "\"";
  append_escaped(out, shown);
  if (shown.size() == value.size()) return out += '"';
  out += "…\" (";
  out += std::to_string(value.size());
  return out += " bytes)";
}

}  // namespace tenon
