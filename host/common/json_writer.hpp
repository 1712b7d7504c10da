// Writes JSON as a stream of calls into a string. The result is always well-formed UTF-8 JSON.
//
// The model. Calls must form one value: in an object key, value, key, value …; in an array values. A call out of turn
// is a bug of the caller and ends the program (in release builds too: half a document must not reach a client). Input
// never breaks the output: invalid UTF-8 becomes U+FFFD, NaN and infinities become null. Not thread-safe.
//
//   JsonWriter w;
//   w.begin_object().member("id", "counter.1").member("pid", 42);
//   w.key("tags").begin_array().value("a").end_array().end_object();
//   send(w.take());
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tenon {

// Appends `text` as a JSON string literal with quotes. Control characters are escaped, invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
// Appends the shortest text that reads back as the same double, always with '.' or an exponent ("3.0"); null if not
// finite.
void append_json_double(std::string& out, double value);

class JsonWriter {
 public:
  enum class Style : std::uint8_t { compact, pretty };  // pretty: two spaces a level, a member a line

  explicit JsonWriter(Style style = Style::compact) : style_(style) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& null();
  JsonWriter& value(bool v);
  JsonWriter& value(double v);
  JsonWriter& value(std::string_view v);
  JsonWriter& value(const char* v) { return value(std::string_view(v)); }
  JsonWriter& value(const std::string& v) { return value(std::string_view(v)); }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T v) {
    if constexpr (std::is_signed_v<T>) {
      return write_i64(v);
    } else {
      return write_u64(v);
    }
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& v) {
    return v ? value(*v) : null();
  }
  // A complete JSON value that the caller vouches for, copied as it is.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    return key(name).value(v);
  }

  // True after exactly one complete value.
  bool complete() const noexcept { return done_ && open_.empty(); }
  // Bytes so far, for callers that bound their answers.
  std::size_t size() const noexcept { return out_.size(); }
  const std::string& text() const noexcept { return out_; }
  // The finished text; the writer is then empty and may be used again. Requires complete().
  std::string take();

 private:
  struct Level {
    bool object;
    bool after_key;
    std::uint32_t count;
  };
  JsonWriter& write_i64(std::int64_t v);
  JsonWriter& write_u64(std::uint64_t v);
  void before_value();
  void after_value();
  void close(bool object, char bracket);
  void new_line();

  Style style_;
  bool done_ = false;
  std::vector<Level> open_;
  std::string out_;
};

}  // namespace tenon
