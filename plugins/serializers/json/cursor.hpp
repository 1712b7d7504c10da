// Goes from token to token of a JSON text and judges each: together with stage 1's checks, every octet up to the cursor
// has then been accepted by the grammar of RFC 8259.
//
// Why every octet: stage 1 makes a token of each octet that is no blank and does not continue an earlier run. So
// between a string's closing quote, an operator or a scalar and the next token lie only blanks, if the scalar was read
// to its end; and that is what ends_here() checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "../shared/refuse.hpp"
#include "escapes.hpp"
#include "numbers.hpp"
#include "tokens.hpp"

namespace tenon::json_plugin {

class Cursor {
 public:
  explicit Cursor(const Tokens& tokens) noexcept
      : text_(tokens.text.data()), stop_(text_ + tokens.text.size()), at_(tokens.first), last_(tokens.last),
        end_(text_), escape_(find_escape(text_)) {}

  bool at_end() const noexcept { return at_ == last_; }
  // The first octet of the token; 0 at the end.
  char peek() const noexcept { return at_ == last_ ? '\0' : text_[*at_]; }
  // Where the token begins, and where the one taken last ended.
  std::size_t offset() const noexcept { return *at_; }
  const char* position() const noexcept { return text_ + *at_; }
  const char* taken_to() const noexcept { return end_; }
  const char* text() const noexcept { return text_; }
  std::size_t offset_of(const char* position) const noexcept { return static_cast<std::size_t>(position - text_); }

  // Takes one of { } [ ] : , that peek() showed.
  void take_operator() noexcept {
    end_ = text_ + *at_ + 1;
    ++at_;
  }
  void expect(char wanted, std::string_view otherwise) {
    if (peek() != wanted) fail(otherwise);
    take_operator();
  }

  // Requires peek() == '"'. The escapes in it are not checked yet.
  RawString take_string() noexcept {
    const char* begin = text_ + at_[0] + 1;
    const char* quote = text_ + at_[1] - 1;
    while (*quote != '"') --quote;  // stage 1 found the string closed, so only blanks are skipped here
    ++at_;
    end_ = quote + 1;
    if (escape_ >= quote) [[likely]] return {begin, quote, nullptr};
    const char* escape = escape_;
    escape_ = find_escape(quote);
    return {begin, quote, escape};
  }

  NumberToken take_number() {
    const NumberToken number = scan_number(text_ + at_[0], text_ + at_[1]);
    if (number.end == nullptr || !ends_here(number.end)) fail("not a JSON number; write it like -12.5e3");
    ++at_;
    end_ = number.end;
    return number;
  }

  // Takes `true`, `false` or `null`.
  template <std::size_t N>
  void take_word(const char (&word)[N]) {
    const char* begin = text_ + at_[0];
    if (stop_ - begin < static_cast<std::ptrdiff_t>(N - 1) || std::memcmp(begin, word, N - 1) != 0 ||
        !ends_here(begin + N - 1)) {
      fail("not a JSON value; write true, false, null or quote the text");
    }
    ++at_;
    end_ = begin + N - 1;
  }

  // Refuses the token that the cursor stands on.
  [[noreturn]] void fail(std::string_view what) const { fail_at(what, text_, offset(), at_end()); }

 private:
  // Static, so that no cursor has to have an address on the way that matters.
  [[noreturn, gnu::cold, gnu::noinline]] static void fail_at(std::string_view what, const char* text,
                                                             std::size_t offset, bool at_end) {
    std::string said(what);
    if (at_end) {
      said += " (the text ends here)";
    } else {
      said += " (found \"" + serializers::printable({text + offset, 1}) + "\")";
    }
    serializers::refuse(said, offset);
  }

  bool ends_here(const char* end) const noexcept {
    return end == text_ + at_[1] || *end == ' ' || *end == '\n' || *end == '\r' || *end == '\t';
  }

  // One search over the whole text finds that there is no escape at all, the usual case.
  const char* find_escape(const char* from) const noexcept {
    const void* found = std::memchr(from, '\\', static_cast<std::size_t>(stop_ - from));
    return found == nullptr ? stop_ : static_cast<const char*>(found);
  }

  const char* text_;
  const char* stop_;
  const std::uint32_t* at_;
  const std::uint32_t* last_;
  const char* end_;
  const char* escape_;  // the first backslash at or behind the last string taken; stop_ if there is none
};

}  // namespace tenon::json_plugin
