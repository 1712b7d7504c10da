// The `pattern` of a JSON Schema: a regular expression that is found anywhere in a text, in time linear in the text.
//
// Syntax: that of RE2 (its documentation, "Syntax"), which holds the subset that JSON Schema draft 7, section 4.3, asks for.
// It has no look-around and no back references, which is why no text can make it take long. Text is UTF-8. [any]
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace re2 {
class RE2;
}

namespace tenon::message {

class TextPattern {
 public:
  static constexpr std::size_t kMaxSize = 1024;  // octets of a pattern

  // The error says what the pattern may be, for the end of "expected …".
  static Result<TextPattern> compile(std::string_view pattern);
  TextPattern(TextPattern&&) noexcept;
  TextPattern& operator=(TextPattern&&) noexcept;
  ~TextPattern();

  // Counts as SchemaWork, and so may throw SchemaWork::Exceeded.
  bool found_in(std::string_view text) const;
  const std::string& text() const noexcept;

 private:
  explicit TextPattern(std::unique_ptr<re2::RE2> compiled) noexcept;
  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace tenon::message
