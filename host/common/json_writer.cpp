#include "common/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/utf8.hpp"

namespace tenon {

namespace {

// What a byte needs inside a string literal: 0 nothing, 'u' a \u00XX, another letter that escape, 1 a look at UTF-8.
constexpr std::array<char, 256> kEscape = [] {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = 'u';
  for (std::size_t i = 0x80; i < 256; ++i) table[i] = 1;
  table['\b'] = 'b', table['\f'] = 'f', table['\n'] = 'n', table['\r'] = 'r', table['\t'] = 't';
  table['"'] = '"', table['\\'] = '\\', table[0x7F] = 'u';
  return table;
}();

[[noreturn]] void misuse(const char* what) {
  std::fprintf(stderr, "tenon: bug: JsonWriter: %s\n", what);
  std::abort();
}

// Appends the multi-byte sequence at the front of `text`; returns how many bytes of it that covered.
std::size_t append_multibyte(std::string& out, std::string_view text) {
  const Utf8Step step = utf8_step(text);
  if (step.valid) {
    out.append(text.substr(0, step.length));
  } else {
    out += "\xEF\xBF\xBD";
  }
  return step.length;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // start of the run that needs nothing
  std::size_t i = 0;
  while (i < text.size()) {
    const char escape = kEscape[static_cast<unsigned char>(text[i])];
    if (escape == 0) {
      ++i;
      continue;
    }
    out.append(text, plain, i - plain);
    if (escape == 1) {
      i += append_multibyte(out, text.substr(i));
    } else {
      out += '\\';
      out += escape;
      if (escape == 'u') {
        const auto byte = static_cast<unsigned char>(text[i]);
        out += "00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
      }
      ++i;
    }
    plain = i;
  }
  out.append(text, plain, i - plain);
  out += '"';
}

void append_json_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  // Without a point it would read back as an integer.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void JsonWriter::new_line() {
  out_ += '\n';
  out_.append(open_.size() * 2, ' ');
}

void JsonWriter::before_value() {
  if (open_.empty()) {
    if (done_) misuse("a second value at the top");
    return;
  }
  Level& level = open_.back();
  if (level.object) {
    if (!level.after_key) misuse("a value in an object without a key");
    level.after_key = false;
    return;
  }
  if (level.count++ > 0) out_ += ',';
  if (style_ == Style::pretty) new_line();
}

void JsonWriter::after_value() {
  if (open_.empty()) done_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  before_value();
  out_ += '{';
  open_.push_back({true, false, 0});
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  before_value();
  out_ += '[';
  open_.push_back({false, false, 0});
  return *this;
}

void JsonWriter::close(bool object, char bracket) {
  if (open_.empty() || open_.back().object != object) misuse("the end of what was not begun");
  if (open_.back().after_key) misuse("a key without a value");
  const bool had_content = open_.back().count > 0;
  open_.pop_back();
  if (style_ == Style::pretty && had_content) new_line();
  out_ += bracket;
  after_value();
}

JsonWriter& JsonWriter::end_object() { return close(true, '}'), *this; }
JsonWriter& JsonWriter::end_array() { return close(false, ']'), *this; }

JsonWriter& JsonWriter::key(std::string_view name) {
  if (open_.empty() || !open_.back().object || open_.back().after_key) misuse("a key where a value belongs");
  Level& level = open_.back();
  if (level.count++ > 0) out_ += ',';
  level.after_key = true;
  if (style_ == Style::pretty) new_line();
  append_json_string(out_, name);
  out_ += style_ == Style::pretty ? ": " : ":";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  if (json.empty()) misuse("an empty raw value");
  before_value();
  out_ += json;
  after_value();
  return *this;
}

JsonWriter& JsonWriter::null() { return raw("null"); }
JsonWriter& JsonWriter::value(bool v) { return raw(v ? "true" : "false"); }

JsonWriter& JsonWriter::value(double v) {
  before_value();
  append_json_double(out_, v);
  after_value();
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view v) {
  before_value();
  append_json_string(out_, v);
  after_value();
  return *this;
}

JsonWriter& JsonWriter::write_i64(std::int64_t v) {
  char buffer[24];
  return raw({buffer, static_cast<std::size_t>(std::to_chars(buffer, buffer + sizeof buffer, v).ptr - buffer)});
}

JsonWriter& JsonWriter::write_u64(std::uint64_t v) {
  char buffer[24];
  return raw({buffer, static_cast<std::size_t>(std::to_chars(buffer, buffer + sizeof buffer, v).ptr - buffer)});
}

std::string JsonWriter::take() {
  if (!complete()) misuse("take() before the value was complete");
  done_ = false;
  return std::exchange(out_, {});
}

}  // namespace tenon
