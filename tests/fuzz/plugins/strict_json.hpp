// The grammar of RFC 8259 as plainly as it can be written: the oracle for what the fast reader accepts. Two rules of
// the house come on top: at most 512 levels, and no escape that stands for half a character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon::fuzz {

class StrictJson {
 public:
  // Whether `text` is one JSON value. Requires UTF-8 (the caller knows).
  static bool accepts(std::string_view text) {
    StrictJson json(text);
    json.blanks();
    if (!json.value(0)) return false;
    json.blanks();
    return json.at_ == text.size();
  }

 private:
  explicit StrictJson(std::string_view text) : text_(text) {}

  char peek() const { return at_ < text_.size() ? text_[at_] : '\x01'; }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }
  void blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  bool digits() {
    const std::size_t first = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ != first;
  }
  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }
  bool hex4(std::uint32_t& out) {
    out = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      if (c >= '0' && c <= '9') out = out * 16 + static_cast<std::uint32_t>(c - '0');
      else if (c >= 'a' && c <= 'f') out = out * 16 + static_cast<std::uint32_t>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F') out = out * 16 + static_cast<std::uint32_t>(c - 'A' + 10);
      else return false;
    }
    return true;
  }
  bool escape() {
    if (take('u')) {
      std::uint32_t first = 0;
      std::uint32_t second = 0;
      if (!hex4(first)) return false;
      if (first >= 0xdc00 && first <= 0xdfff) return false;
      if (first < 0xd800 || first > 0xdbff) return true;
      return take('\\') && take('u') && hex4(second) && second >= 0xdc00 && second <= 0xdfff;
    }
    return std::string_view("\"\\/bfnrt").find(peek()) != std::string_view::npos && ++at_ != 0;
  }
  bool string() {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      if (take('"')) return true;
      if (take('\\')) {
        if (!escape()) return false;
      } else if (static_cast<unsigned char>(text_[at_]) < 0x20) {
        return false;
      } else {
        ++at_;
      }
    }
    return false;
  }
  bool elements(std::size_t depth) {
    blanks();
    if (take(']')) return true;
    while (true) {
      blanks();
      if (!value(depth)) return false;
      blanks();
      if (take(']')) return true;
      if (!take(',')) return false;
    }
  }
  bool members(std::size_t depth) {
    blanks();
    if (take('}')) return true;
    while (true) {
      blanks();
      if (!string()) return false;
      blanks();
      if (!take(':')) return false;
      blanks();
      if (!value(depth)) return false;
      blanks();
      if (take('}')) return true;
      if (!take(',')) return false;
    }
  }
  bool value(std::size_t depth) {
    switch (peek()) {
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      case '[': ++at_; return depth < 512 && elements(depth + 1);
      case '{': ++at_; return depth < 512 && members(depth + 1);
      default: return number();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace tenon::fuzz
