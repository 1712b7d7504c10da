#include "common/log_format.hpp"

#include <algorithm>
#include <charconv>

#include "common/json_writer.hpp"
#include "common/rfc3339.hpp"
#include "common/text.hpp"

namespace tenon::log {

namespace {

constexpr std::string_view kTextMark = " truncated=true";
constexpr std::string_view kJsonMark = ",\"truncated\":true";

std::string_view padded_name(Level level) noexcept {
  switch (level) {
    case Level::trace: return "TRACE";
    case Level::debug: return "DEBUG";
    case Level::info: return "INFO ";
    case Level::warn: return "WARN ";
    case Level::error: return "ERROR";
    case Level::off: break;
  }
  return "?    ";
}

std::string_view colour_of(Level level) noexcept {
  switch (level) {
    case Level::error: return "\x1b[31m";
    case Level::warn: return "\x1b[33m";
    case Level::info: return "\x1b[32m";
    default: return "\x1b[2m";
  }
}

bool needs_quotes(std::string_view value) noexcept {
  if (value.empty()) return true;
  for (char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '=' || c == '"' || c == '\\') return true;
    if (static_cast<unsigned char>(c) >= 0x7F) return true;
  }
  return false;
}

void append_plain(std::string& out, std::string_view text) { append_escaped(out, text); }

void append_quoted_if_needed(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) {
    out += text;
    return;
  }
  out += '"';
  append_escaped(out, text);
  out += '"';
}

template <class Number>
void append_integer(std::string& out, Number value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_scalar(std::string& out, const Field& field) {
  switch (field.kind) {
    case Field::Kind::i64: append_integer(out, field.i64); break;
    case Field::Kind::u64: append_integer(out, field.u64); break;
    case Field::Kind::number: append_json_double(out, field.number); break;
    case Field::Kind::boolean: out += field.boolean ? "true" : "false"; break;
    case Field::Kind::text: break;
  }
}

// Builds the line within a limit: every piece is added whole, shortened or not at all.
class Line {
 public:
  explicit Line(std::size_t limit) : limit_(limit) { text_.reserve(256); }

  std::string& text() noexcept { return text_; }
  bool cut() const noexcept { return cut_; }

  // Appends what `write(out, value)` makes of `value`; takes less of the value until it fits.
  template <class Write>
  bool add_text(std::string_view value, Write write) {
    const std::size_t start = text_.size();
    for (std::size_t take = std::min(value.size(), limit_);; take /= 2) {
      const std::string_view piece = utf8_prefix(value, take);
      write(text_, piece);
      if (text_.size() <= limit_) {
        cut_ = cut_ || piece.size() < value.size();
        return true;
      }
      text_.resize(start);
      if (take == 0) return cut_ = true, false;
    }
  }

  // Appends the key and the field's value, or nothing.
  template <class Write>
  void add_field(std::string_view before_key, const Field& field, std::string_view after_key, Write write) {
    const std::size_t start = text_.size();
    const auto fail = [&] { text_.resize(start), cut_ = true; };
    text_ += before_key;
    if (!add_text(field.key, write.key)) return fail();
    text_ += after_key;
    if (field.kind == Field::Kind::text) {
      if (text_.size() > limit_ || !add_text(field.text, write.value)) fail();
      return;
    }
    append_scalar(text_, field);
    if (text_.size() > limit_) fail();
  }

 private:
  std::string text_;
  std::size_t limit_;
  bool cut_ = false;
};

using Append = void (*)(std::string&, std::string_view);
struct Writers {
  Append key;
  Append value;
};

std::string format_text(const Entry& entry, bool colour, std::size_t limit) {
  Line line(limit - kTextMark.size());
  line.text() += format_rfc3339(entry.time).view();
  line.text() += ' ';
  if (colour) line.text() += colour_of(entry.level);
  line.text() += padded_name(entry.level);
  if (colour) line.text() += "\x1b[0m";
  line.text() += ' ';
  line.add_text(utf8_prefix(entry.part, 64), append_plain);
  line.text() += ": ";
  line.add_text(entry.message, append_plain);
  for (std::size_t i = 0; i < entry.field_count; ++i) {
    line.add_field(" ", entry.fields[i], "=", Writers{append_plain, append_quoted_if_needed});
  }
  if (line.cut()) line.text() += kTextMark;
  return std::move(line.text());
}

std::string format_json(const Entry& entry, std::size_t limit) {
  Line line(limit - kJsonMark.size() - 1);
  line.text() += "{\"time\":\"";
  line.text() += format_rfc3339(entry.time).view();
  line.text() += "\",\"level\":\"";
  line.text() += to_string(entry.level);
  line.text() += "\",\"part\":";
  line.add_text(utf8_prefix(entry.part, 64), append_json_string);
  line.text() += ",\"message\":";
  line.add_text(entry.message, append_json_string);
  for (std::size_t i = 0; i < entry.field_count; ++i) {
    line.add_field(",", entry.fields[i], ":", Writers{append_json_string, append_json_string});
  }
  if (line.cut()) line.text() += kJsonMark;
  line.text() += '}';
  return std::move(line.text());
}

}  // namespace

std::string format_entry(const Entry& entry, Format format, bool colour, std::size_t limit) {
  limit = std::max<std::size_t>(limit, 256);
  return format == Format::json ? format_json(entry, limit) : format_text(entry, colour, limit);
}

}  // namespace tenon::log
