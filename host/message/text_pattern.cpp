#include "message/text_pattern.hpp"

#include <re2/re2.h>

#include "message/schema_work.hpp"

namespace tenon::message {

namespace {

// Octets that a compiled pattern may take, its automaton's cache included. What does not fit is refused when it is compiled.
constexpr std::int64_t kMemory = 512 * 1024;

// An octet of text costs about a nanosecond while the automaton fits into its memory, else up to two nanoseconds for each
// instruction of the program.
constexpr std::size_t kInstructionsOfAUnit = 16;

}  // namespace

TextPattern::TextPattern(std::unique_ptr<re2::RE2> compiled) noexcept : compiled_(std::move(compiled)) {}
TextPattern::TextPattern(TextPattern&&) noexcept = default;
TextPattern& TextPattern::operator=(TextPattern&&) noexcept = default;
TextPattern::~TextPattern() = default;

Result<TextPattern> TextPattern::compile(std::string_view pattern) {
  if (pattern.size() > kMaxSize) return Error(errc::invalid_argument, "a regular expression of at most 1024 octets");
  re2::RE2::Options options;
  options.set_max_mem(kMemory);
  options.set_log_errors(false);
  auto compiled = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok())
    return Error(errc::invalid_argument,
                 "a regular expression (syntax of RE2: no look-around, no back references; " + compiled->error() + ")");
  return TextPattern(std::move(compiled));
}

bool TextPattern::found_in(std::string_view text) const {
  const auto program = static_cast<std::size_t>(compiled_->ProgramSize());
  SchemaWork::count_text(text.size() * (1 + program / kInstructionsOfAUnit));
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

const std::string& TextPattern::text() const noexcept { return compiled_->pattern(); }

}  // namespace tenon::message
