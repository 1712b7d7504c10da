// A JSON document that remembers where everything stood, for config files and control requests. Never for events.
//
// The model. A JsonDocument owns its text and a flat table of nodes in document order; a JsonValue is a pointer-sized
// handle into it and is valid as long as the document (moving the document keeps handles valid). Members keep their
// order. A document that parsed is well-formed UTF-8, without duplicate keys, without a NUL byte and not deeper than
// allowed. Nothing recurses by the depth of the input, neither parsing, nor walking, nor destruction.
//
// Errors read `tenon.json:12:7: found …, expected …`. Use JsonValue::mismatch() to say the same of a well-formed value
// that means the wrong thing. Reading a document is [any]; nothing changes after parse().
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tenon {

struct JsonOptions {
  bool comments = false;             // `//` and `/* */`, as in config files; trailing commas are never allowed
  std::uint32_t max_depth = 64;      // nested objects and arrays, the root counts as 1; at least 1
  std::size_t max_bytes = 16 << 20;  // longer texts are refused unread; at most 1 GiB
};

// integer: written without fraction or exponent and within int64 or uint64. Every other number is a double.
enum class JsonKind : std::uint8_t { null, boolean, integer, number, string, array, object };
// With its article, for messages: "a string", "an object", "null".
std::string_view to_string(JsonKind kind) noexcept;

struct JsonPosition {
  std::size_t offset = 0;    // bytes from the start of the text
  std::uint32_t line = 1;    // from 1; LF and CR LF end a line
  std::uint32_t column = 1;  // from 1, in Unicode characters
};

namespace detail {
struct JsonTree;
}
struct JsonMember;
class JsonMembers;
class JsonElements;

class JsonValue {
 public:
  JsonKind kind() const noexcept;
  bool is(JsonKind wanted) const noexcept { return kind() == wanted; }
  bool is_null() const noexcept { return is(JsonKind::null); }
  bool is_string() const noexcept { return is(JsonKind::string); }
  bool is_array() const noexcept { return is(JsonKind::array); }
  bool is_object() const noexcept { return is(JsonKind::object); }

  // Each is empty when the value is of another kind or does not fit. as_double also takes integers (nearest double).
  std::optional<bool> as_bool() const noexcept;
  std::optional<std::int64_t> as_i64() const noexcept;
  std::optional<std::uint64_t> as_u64() const noexcept;
  std::optional<double> as_double() const noexcept;
  std::optional<std::string_view> as_string() const noexcept;  // lives as long as the document; may hold NUL (\u0000)

  // Members or elements; 0 for scalars.
  std::size_t size() const noexcept;
  // The i-th element or member's value, O(1). Requires i < size().
  JsonValue at(std::size_t i) const noexcept;
  // A member by key: empty when this is no object or has no such key. Linear in size().
  std::optional<JsonValue> find(std::string_view key) const noexcept;
  // For range-for; empty when this is of another kind.
  JsonMembers members() const noexcept;
  JsonElements elements() const noexcept;

  // This value's own key in the object that holds it, with its position; empty and the value's position otherwise.
  std::string_view key() const noexcept;
  JsonPosition key_position() const noexcept;

  JsonPosition position() const noexcept;
  // `$` for the root, `$.supervision.children[2].command`, `$.env["a b"]`.
  std::string path() const;
  // The bytes of this value in the text, comments inside included.
  std::string_view raw() const noexcept;
  // Compact JSON of this value without comments; numbers keep their spelling, so nothing is rounded.
  std::string to_json() const;
  // What stands here, short and safe to print: `"abc"`, `42`, `an object with 3 members`.
  std::string describe() const;
  // `tenon.json:12:7` and, with the path, the start of every message about this value.
  std::string where() const;
  // errc::invalid_argument: "<where>: <path>: found <describe>, expected <expected>". fault::caller.
  Error mismatch(std::string_view expected) const;
  // The same place with a sentence of the caller's own: "<where>: <path>: <sentence>".
  Error problem(std::string_view sentence) const;
  std::string_view file_name() const noexcept;

 private:
  friend class JsonDocument;
  friend class JsonMembers;
  friend class JsonElements;
  JsonValue(const detail::JsonTree* tree, std::uint32_t node) noexcept : tree_(tree), node_(node) {}
  const detail::JsonTree* tree_;
  std::uint32_t node_;
};

struct JsonMember {
  std::string_view key;
  JsonValue value;
};

namespace detail {
// Shared by both ranges: walks the children of one node by index.
template <class Range>
class JsonIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = typename Range::value_type;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = value_type;
  JsonIterator(Range range, std::size_t i) noexcept : range_(range), i_(i) {}
  value_type operator*() const noexcept { return range_[i_]; }
  JsonIterator& operator++() noexcept { return ++i_, *this; }
  bool operator==(const JsonIterator& other) const noexcept { return i_ == other.i_; }

 private:
  Range range_;
  std::size_t i_;
};
}  // namespace detail

class JsonMembers {
 public:
  using value_type = JsonMember;
  std::size_t size() const noexcept { return count_; }
  JsonMember operator[](std::size_t i) const noexcept;
  detail::JsonIterator<JsonMembers> begin() const noexcept { return {*this, 0}; }
  detail::JsonIterator<JsonMembers> end() const noexcept { return {*this, count_}; }

 private:
  friend class JsonValue;
  JsonMembers(JsonValue parent, std::size_t count) noexcept : parent_(parent), count_(count) {}
  JsonValue parent_;
  std::size_t count_;
};

class JsonElements {
 public:
  using value_type = JsonValue;
  std::size_t size() const noexcept { return count_; }
  JsonValue operator[](std::size_t i) const noexcept { return parent_.at(i); }
  detail::JsonIterator<JsonElements> begin() const noexcept { return {*this, 0}; }
  detail::JsonIterator<JsonElements> end() const noexcept { return {*this, count_}; }

 private:
  friend class JsonValue;
  JsonElements(JsonValue parent, std::size_t count) noexcept : parent_(parent), count_(count) {}
  JsonValue parent_;
  std::size_t count_;
};

class JsonDocument {
 public:
  // `file_name` only names the source in messages. errc::bad_data for malformed text, errc::exhausted for a limit;
  // fault::caller. A leading byte order mark is skipped.
  static Result<JsonDocument> parse(std::string text, std::string file_name, JsonOptions options = {});

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  JsonValue root() const noexcept;
  std::string_view text() const noexcept;
  std::string_view file_name() const noexcept;
  // Line and column of a byte offset; an offset past the end means the end.
  JsonPosition position_of(std::size_t offset) const noexcept;

 private:
  explicit JsonDocument(std::unique_ptr<detail::JsonTree> tree) noexcept;
  std::unique_ptr<detail::JsonTree> tree_;
};

}  // namespace tenon
