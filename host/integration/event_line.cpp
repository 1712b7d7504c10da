#include "integration/event_line.hpp"

#include <algorithm>
#include <cstddef>

namespace tenon::integration {

namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_(text) {}

  bool take(char c) noexcept {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // A string with its quotes; without them into `out`. Escapes stay as they are.
  bool take_string(std::string_view& out) noexcept {
    if (!take('"')) return false;
    const std::size_t begin = at_;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') ++at_;
      else if (text_[at_] == '"') return out = text_.substr(begin, at_++ - begin), true;
    }
    at_ = text_.size();
    return false;
  }

  // Up to the comma or brace behind the value, which stays.
  void skip_value() noexcept {
    std::string_view ignored;
    for (std::size_t depth = 0; at_ < text_.size();) {
      const char c = text_[at_];
      if (c == '"') {
        take_string(ignored);
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) return;
      if (c == '{' || c == '[') ++depth;
      else if ((c == '}' || c == ']') && depth != 0) --depth;
      ++at_;
    }
  }

 private:
  void skip_spaces() noexcept { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_meant_as_event(std::string_view line) noexcept {
  Scanner scanner(line);
  if (!scanner.take('{')) return false;
  do {
    std::string_view key, value;
    if (!scanner.take_string(key) || !scanner.take(':')) return false;
    if (key == "type") return scanner.take_string(value);
    scanner.skip_value();
  } while (scanner.take(','));
  return false;
}

}  // namespace tenon::integration
