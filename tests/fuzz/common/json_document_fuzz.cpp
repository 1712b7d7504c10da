// Any bytes as a JSON document, with comments and without. What is accepted is held against its own rewriting: compact
// JSON of it is accepted, says the same, and needs no comments.
#include "common/json_document.hpp"

#include <cstdint>

#include "fuzz/must.hpp"

namespace {

using tenon::JsonDocument;
using tenon::JsonKind;
using tenon::JsonValue;
using tenon::fuzz::must;

constexpr std::size_t kLookedAt = 64;  // values of one document; a position costs a walk through the text

tenon::Result<JsonDocument> parse(std::string text, bool comments) {
  tenon::JsonOptions options;
  options.comments = comments;
  auto document = JsonDocument::parse(std::move(text), "fuzz.json", options);
  if (!document.ok()) {
    const tenon::Error& error = document.error();
    const bool expected = error.code == tenon::errc::bad_data || error.code == tenon::errc::exhausted;
    must(expected, "only bad data and excess are refused", error.message);
    must(error.message.starts_with("fuzz.json"), "a refusal names the file", error.message);
  }
  return document;
}

// Every question that may be asked of a value; recursion is bounded by max_depth.
void look_at(const JsonValue& value, const JsonDocument& document, std::size_t& looked_at) {
  if (++looked_at > kLookedAt) return;
  const std::string_view text = document.text(), raw = value.raw();
  must(!raw.empty() && raw.data() >= text.data() && raw.data() + raw.size() <= text.data() + text.size(),
       "a value stands in the text");
  const tenon::JsonPosition position = value.position();
  must(position.line >= 1 && position.column >= 1 && position.offset < text.size(), "a position is in the text");
  must(text.data() + position.offset == raw.data(), "a position is where the value begins");
  must(value.path().starts_with("$") && !value.describe().empty(), "a value can be named");
  must(value.as_string().has_value() == value.is_string() && value.as_bool().has_value() == value.is(JsonKind::boolean),
       "a value has its kind");
  if (value.is(JsonKind::integer)) must(value.as_i64() || value.as_u64(), "an integer fits", std::string(raw));
  if (value.is_object()) {
    for (const auto member : value.members()) {
      const auto found = value.find(member.key);
      must(found && found->position().offset == member.value.position().offset, "a member is found by its key");
      look_at(member.value, document, looked_at);
      if (looked_at > kLookedAt) return;
    }
  }
  for (const JsonValue element : value.elements()) {
    look_at(element, document, looked_at);
    if (looked_at > kLookedAt) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto lenient = parse(text, true);
  const auto plain = parse(text, false);
  if (plain.ok()) must(lenient.ok(), "what is JSON is JSON with comments", text);
  if (!lenient.ok()) return 0;

  std::size_t looked_at = 0;
  look_at(lenient->root(), *lenient, looked_at);
  const std::string compact = lenient->root().to_json();
  const auto again = parse(compact, false);
  must(again.ok(), "compact JSON is JSON", compact);
  must(again->root().to_json() == compact, "compact JSON is stable", compact);
  if (plain.ok()) must(plain->root().to_json() == compact, "comments are the only difference", compact);
  return 0;
}
