#include "event_reader.hpp"

#include "../shared/base64.hpp"
#include "../shared/integer.hpp"
#include "../shared/media_type.hpp"
#include "walk.hpp"

namespace tenon::json_plugin {

using serializers::Attribute;
using serializers::refuse;
using serializers::refuse_attribute;

namespace {

constexpr std::string_view kFormat = "application/json";

[[noreturn, gnu::cold]] void refuse_escape(std::size_t offset) {
  refuse("an illegal escape in a string; legal are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with whole characters",
         offset);
}

// Walked over `data`: nothing is decoded, but what stage 1 leaves open about strings is checked.
struct Check {
  const char* text;

  void string(const RawString& string) {
    if (string.escape == nullptr) [[likely]] return;
    if (const char* bad = find_bad_escape(string); bad != nullptr) refuse_escape(static_cast<std::size_t>(bad - text));
  }
  void key(const RawString& name) { string(name); }
  void null_value() {}
  void boolean(bool) {}
  void number(const NumberToken&) {}
  void begin_map() {}
  void end_map() {}
  void begin_array() {}
  void end_array() {}
};

bool begins_number(char c) { return c == '-' || (c >= '0' && c <= '9'); }

}  // namespace

void EventReader::read(const Tokens& tokens, tenon_event& out) {
  envelope_.start();
  payload_ = {nullptr, nullptr, nullptr};
  Cursor cursor(tokens);
  cursor.expect('{', "an event is a JSON object; expected '{'");
  if (cursor.peek() == '}') {
    cursor.take_operator();
  } else {
    member(cursor);
    while (cursor.peek() == ',') {
      cursor.take_operator();
      member(cursor);
    }
    cursor.expect('}', "expected ',' or '}' after a member's value");
  }
  if (!cursor.at_end()) cursor.fail("an event is one JSON object; remove what follows it");
  settle_data(cursor);
  envelope_.finish(kFormat, out);
}

void EventReader::member(Cursor& cursor) {
  if (cursor.peek() != '"') cursor.fail("expected a member's name in quotes");
  const std::size_t offset = cursor.offset();
  const std::string_view name = value_of(cursor, cursor.take_string());
  const Attribute which = envelope_.claim(name, offset);
  cursor.expect(':', "expected ':' after a member's name");
  switch (which) {
    case Attribute::data: return data(cursor);
    case Attribute::data_base64: return data_base64(cursor);
    case Attribute::extension: return extension(cursor);
    case Attribute::priority: return priority(cursor);
    default: return text(cursor, which);
  }
}

void EventReader::text(Cursor& cursor, Attribute which) {
  const std::size_t offset = cursor.offset();
  if (cursor.peek() == '"') {
    envelope_.set_text(which, value_of(cursor, cursor.take_string()), offset);
  } else if (cursor.peek() == 'n') {
    cursor.take_word("null");
  } else {
    refuse_attribute(serializers::name_of(which), offset, "must be a string; put it in quotes");
  }
}

void EventReader::priority(Cursor& cursor) {
  const std::size_t offset = cursor.offset();
  if (cursor.peek() == 'n') return cursor.take_word("null");
  std::optional<std::int32_t> value;
  if (begins_number(cursor.peek())) {
    const NumberToken number = cursor.take_number();
    if (number.integer) value = serializers::parse_integer_attribute(number.view());
  }
  envelope_.set_priority(value.value_or(0), offset);
}

void EventReader::extension(Cursor& cursor) {
  const std::size_t offset = cursor.offset();
  const char first = cursor.peek();
  if (first == '"') {
    envelope_.set_text_extension(value_of(cursor, cursor.take_string()), offset);
  } else if (begins_number(first)) {
    const NumberToken number = cursor.take_number();
    if (!number.integer || !serializers::parse_integer_attribute(number.view())) {
      refuse_attribute(envelope_.claimed_extension(), offset,
                       "must be an integer from -2147483648 to 2147483647; write other numbers as strings");
    }
    // JSON's integers are canonical already but for the sign of zero.
    envelope_.set_extension(number.view() == "-0" ? "0" : number.view(), TENON_ATTRIBUTE_INTEGER);
  } else if (first == 't') {
    cursor.take_word("true");
    envelope_.set_extension("true", TENON_ATTRIBUTE_BOOLEAN);
  } else if (first == 'f') {
    cursor.take_word("false");
    envelope_.set_extension("false", TENON_ATTRIBUTE_BOOLEAN);
  } else if (first == 'n') {
    cursor.take_word("null");
  } else {
    refuse_attribute(envelope_.claimed_extension(), offset,
                     "must be a string, an integer or a boolean; put structured values in data");
  }
}

void EventReader::data(Cursor& cursor) {
  if (envelope_.has_data())
    refuse_attribute("data", cursor.offset(), "stands beside data_base64; send only one of them");
  const char* begin = cursor.position();
  if (cursor.peek() == '"') {
    payload_ = cursor.take_string();
    Check{cursor.text()}.string(payload_);
  } else {
    Check check{cursor.text()};
    Walk<Check>::run(cursor, check);
  }
  const char* end = cursor.taken_to();
  envelope_.set_data(TENON_DATA_VALUE, {begin, static_cast<std::size_t>(end - begin)});
}

void EventReader::data_base64(Cursor& cursor) {
  const std::size_t offset = cursor.offset();
  if (envelope_.has_data()) refuse_attribute("data_base64", offset, "stands beside data; send only one of them");
  if (cursor.peek() == 'n') return cursor.take_word("null");
  if (cursor.peek() != '"') refuse_attribute("data_base64", offset, "must be a string of base64");
  const std::string_view letters = value_of(cursor, cursor.take_string());
  if (!serializers::is_base64(letters)) {
    refuse_attribute("data_base64", offset, "is not base64 (RFC 4648 section 4: A-Z a-z 0-9 + / and = as padding)");
  }
  envelope_.set_data(TENON_DATA_BASE64, letters);
}

// Only now is it known whether `data` came with a datacontenttype that makes its string the payload itself.
void EventReader::settle_data(Cursor& cursor) {
  const std::string_view type = envelope_.datacontenttype();
  if (payload_.begin == nullptr || type.empty() || serializers::is_json_type(type)) return;
  envelope_.set_data(TENON_DATA_BYTES, value_of(cursor, payload_));
}

std::string_view EventReader::value_of(Cursor& cursor, const RawString& string) {
  if (string.escape == nullptr) [[likely]] return string.view();
  const std::size_t room = string.view().size();
  char* begin = envelope_.scratch().take(room);
  const char* bad = nullptr;
  const char* end = unescape(string, begin, bad);
  if (end == nullptr) refuse_escape(cursor.offset_of(bad));
  const std::size_t size = static_cast<std::size_t>(end - begin);
  envelope_.scratch().give_back(room - size);
  return {begin, size};
}

}  // namespace tenon::json_plugin
