#include "value_writer.hpp"

#include <cmath>

#include "../shared/utf8.hpp"
#include "text.hpp"

namespace tenon::json_plugin {

using serializers::ValueOrder;
using serializers::untranslatable;

namespace {

void check_text(std::string_view text) {
  if (serializers::first_invalid_utf8(text) != serializers::kValidUtf8) {
    untranslatable("a text is not UTF-8, which JSON requires; send it as payload octets");
  }
}

}  // namespace

void ValueWriter::before_value() {
  order().value();
  const ValueOrder::Level* level = order().innermost();
  if (level != nullptr && !level->map && level->count > 1) output().put(',');
}

void ValueWriter::null_value() {
  before_value();
  output().append("null");
}

void ValueWriter::boolean(bool value) {
  before_value();
  output().append(value ? "true" : "false");
}

void ValueWriter::signed_integer(std::int64_t value) {
  before_value();
  put_integer(output(), value);
}

void ValueWriter::unsigned_integer(std::uint64_t value) {
  before_value();
  put_natural(output(), value);
}

void ValueWriter::number(double value) {
  if (!std::isfinite(value)) untranslatable("JSON has no NaN and no infinity; send null or a string");
  before_value();
  put_real(output(), value);
}

void ValueWriter::string(std::string_view value) {
  check_text(value);
  before_value();
  put_string(output(), value);
}

void ValueWriter::binary(tenon_bytes) {
  untranslatable("JSON has no binary values; send base64 text, or the whole payload as octets");
}

void ValueWriter::timestamp(std::int64_t, std::uint32_t) {
  untranslatable("JSON has no timestamps; send RFC 3339 text");
}

void ValueWriter::extension(std::int32_t type, tenon_bytes) {
  untranslatable("JSON has no extension types (this is type " + std::to_string(type) + "); send plain values");
}

void ValueWriter::begin_array(std::uint64_t count) {
  before_value();
  order().open(false, count, 0);
  output().put('[');
}

void ValueWriter::end_array() {
  order().close(false);
  output().put(']');
}

void ValueWriter::begin_map(std::uint64_t count) {
  before_value();
  order().open(true, count, 0);
  output().put('{');
}

void ValueWriter::key(std::string_view name) {
  check_text(name);
  order().key();
  if (order().innermost()->count > 1) output().put(',');
  put_string(output(), name);
  output().put(':');
}

void ValueWriter::end_map() {
  order().close(true);
  output().put('}');
}

}  // namespace tenon::json_plugin
