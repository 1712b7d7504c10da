// Semantic versions, to decide which of two files wins. Source: Semantic Versioning 2.0.0, §2, §9–11.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace tenon::loader {

class SemanticVersion {
 public:
  static constexpr std::size_t kMaxSize = 128;

  SemanticVersion() = default;  // 0.0.0
  // "1.2.3", "1.0.0-rc.1", "1.0.0+build.7"; at most kMaxSize octets. errc::bad_data says what was expected.
  static Result<SemanticVersion> parse(std::string_view text);

  // As it was written.
  const std::string& text() const noexcept { return text_; }

  // Precedence by §11: build metadata does not count, so versions that differ only there are equivalent, not equal.
  friend std::weak_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b);
  friend bool operator==(const SemanticVersion& a, const SemanticVersion& b) { return (a <=> b) == 0; }

 private:
  std::string text_ = "0.0.0";
  std::uint64_t major_ = 0, minor_ = 0, patch_ = 0;
  std::vector<std::string> pre_release_;  // empty: a release, which comes after its pre-releases
};

}  // namespace tenon::loader
