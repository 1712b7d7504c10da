#include "loader/semantic_version.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/text.hpp"

namespace tenon::loader {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_numeric(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }
bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}
bool has_leading_zero(std::string_view text) { return text.size() > 1 && text.front() == '0'; }

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (!is_numeric(text) || has_leading_zero(text)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// §11.4: numbers by value and before words, words by ASCII.
std::weak_ordering compare_identifiers(const std::string& a, const std::string& b) {
  const bool a_numeric = is_numeric(a), b_numeric = is_numeric(b);
  if (a_numeric != b_numeric) return a_numeric ? std::weak_ordering::less : std::weak_ordering::greater;
  // Without leading zeros, the longer number is the larger: no conversion, no overflow.
  if (a_numeric && a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

}  // namespace

Result<SemanticVersion> SemanticVersion::parse(std::string_view text) {
  const Error wrong(errc::bad_data, "version " + quote_for_message(text) +
                                        " is no semantic version: write it like 1.2.3 or 1.2.3-rc.1");
  if (text.size() > kMaxSize) return wrong;
  SemanticVersion version;
  version.text_ = text;

  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    const auto build = split(text.substr(plus + 1), '.');
    if (!std::all_of(build.begin(), build.end(), is_identifier)) return wrong;
    text = text.substr(0, plus);
  }
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    for (const std::string_view identifier : split(text.substr(dash + 1), '.')) {
      if (!is_identifier(identifier) || (is_numeric(identifier) && has_leading_zero(identifier))) return wrong;
      version.pre_release_.emplace_back(identifier);
    }
    text = text.substr(0, dash);
  }
  const auto numbers = split(text, '.');
  if (numbers.size() != 3) return wrong;
  const auto major = parse_number(numbers[0]), minor = parse_number(numbers[1]), patch = parse_number(numbers[2]);
  if (!major || !minor || !patch) return wrong;
  version.major_ = *major;
  version.minor_ = *minor;
  version.patch_ = *patch;
  return version;
}

std::weak_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b) {
  if (const auto order = a.major_ <=> b.major_; order != 0) return order;
  if (const auto order = a.minor_ <=> b.minor_; order != 0) return order;
  if (const auto order = a.patch_ <=> b.patch_; order != 0) return order;
  if (a.pre_release_.empty() != b.pre_release_.empty()) {
    return a.pre_release_.empty() ? std::weak_ordering::greater : std::weak_ordering::less;
  }
  const std::size_t common = std::min(a.pre_release_.size(), b.pre_release_.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const auto order = compare_identifiers(a.pre_release_[i], b.pre_release_[i]); order != 0) return order;
  }
  return a.pre_release_.size() <=> b.pre_release_.size();
}

}  // namespace tenon::loader
