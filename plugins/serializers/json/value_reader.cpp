#include "value_reader.hpp"

#include <cmath>

#include "../shared/sink_calls.hpp"
#include "walk.hpp"

namespace tenon::json_plugin {

namespace {

constexpr std::size_t kKeptText = 4096;  // of the memory for unescaping, between calls

struct Drive {
  const Cursor& cursor;
  serializers::SinkCalls calls;
  std::string& unescaped;

  void null_value() { calls.null_value(); }
  void boolean(bool value) { calls.boolean(value); }
  void string(const RawString& string) { calls.string(value(string)); }
  void key(const RawString& name) { calls.key(value(name)); }
  void begin_map() { calls.begin_map(serializers::kUnknownCount); }
  void end_map() { calls.end_map(); }
  void begin_array() { calls.begin_array(serializers::kUnknownCount); }
  void end_array() { calls.end_array(); }

  void number(const NumberToken& token) {
    const Number number = value_of(token);
    switch (number.kind) {
      case Number::Kind::negative: return calls.signed_integer(number.negative);
      case Number::Kind::natural: return calls.unsigned_integer(number.natural);
      case Number::Kind::real: break;
    }
    if (token.integer && token.view() != "-0") {
      serializers::untranslatable("octet " + std::to_string(cursor.offset_of(token.begin)) +
                                  ": an integer beyond 64 bits, of which a double would lose digits; send it as a "
                                  "string");
    }
    if (std::isinf(number.real)) {
      serializers::untranslatable("octet " + std::to_string(cursor.offset_of(token.begin)) +
                                  ": a number beyond the range of a double; send it as a string");
    }
    calls.number(number.real);
  }

  std::string_view value(const RawString& string) {
    if (string.escape == nullptr) return string.view();
    unescaped.resize(string.view().size());
    const char* bad = nullptr;
    const char* end = unescape(string, unescaped.data(), bad);
    if (end == nullptr) serializers::refuse("an illegal escape in a string", cursor.offset_of(bad));
    return {unescaped.data(), static_cast<std::size_t>(end - unescaped.data())};
  }
};

}  // namespace

tenon_status ValueReader::read(const Tokens& tokens, const tenon_value_sink& sink) {
  Cursor cursor(tokens);
  if (unescaped_.capacity() > kKeptText) std::string().swap(unescaped_);
  Drive drive{cursor, serializers::SinkCalls(sink, keys_), unescaped_};
  try {
    Walk<Drive>::run(cursor, drive);
  } catch (const serializers::SinkRefusal& refusal) {
    return refusal.status;
  }
  if (!cursor.at_end()) cursor.fail("one JSON value was expected; remove what follows it");
  return TENON_OK;
}

}  // namespace tenon::json_plugin
