#include "event_reader.hpp"

#include "../shared/base64.hpp"
#include "../shared/integer.hpp"
#include "../shared/utf8.hpp"
#include "values.hpp"

namespace tenon::msgpack_plugin {

using serializers::Attribute;
using serializers::refuse;
using serializers::refuse_attribute;

namespace {

constexpr std::string_view kFormat = "application/msgpack";

// `text` lies in the input and ends where `objects` stands.
void check_utf8(std::string_view text, const Objects& objects) {
  if (serializers::is_ascii(text)) [[likely]] return;
  const std::size_t bad = serializers::first_invalid_utf8(text);
  if (bad != serializers::kValidUtf8)
    refuse("text that is not UTF-8; send UTF-8, or bin", objects.offset() - text.size() + bad);
}

bool is_binary(char lead) {
  const auto octet = static_cast<std::uint8_t>(lead);
  return octet >= 0xc4 && octet <= 0xc6;
}

}  // namespace

void EventReader::read(std::string_view input, tenon_event& out) {
  envelope_.start();
  Objects objects(input);
  const Object map = objects.take();
  if (map.type != Type::map) refuse("an event is a MessagePack map with text keys", 0);
  // Each pair takes at least two octets or is refused, so a forged count ends with the input.
  for (std::uint64_t i = 0; i < map.count; ++i) member(objects);
  if (!objects.at_end()) refuse("an event is one MessagePack map; remove what follows it", objects.offset());
  envelope_.finish(kFormat, out);
}

void EventReader::member(Objects& objects) {
  const std::size_t offset = objects.offset();
  const Object key = objects.take();
  if (key.type != Type::string) refuse("an event's keys are text", offset);
  check_utf8(key.octets, objects);
  if (key.octets == "data_base64") {
    refuse_attribute(key.octets, offset, "belongs to the JSON format; in MessagePack send data as bin");
  }
  const Attribute which = envelope_.claim(key.octets, offset);
  if (which == Attribute::data) {
    data(objects);
  } else {
    attribute(objects, which);
  }
}

void EventReader::attribute(Objects& objects, Attribute which) {
  const std::size_t offset = objects.offset();
  const Object object = objects.take();
  if (object.type == Type::nil) return;
  if (object.type == Type::string) check_utf8(object.octets, objects);
  if (which == Attribute::extension) {
    extension(object, offset);
  } else if (which == Attribute::priority) {
    envelope_.set_priority(object.type == Type::integer && !object.beyond ? object.integer : 0, offset);
  } else if (object.type == Type::string) [[likely]] {
    envelope_.set_text(which, object.octets, offset);
  } else {
    refuse_attribute(serializers::name_of(which), offset, "must be a str");
  }
}

void EventReader::extension(const Object& object, std::size_t offset) {
  switch (object.type) {
    case Type::string:
      return envelope_.set_text_extension(object.octets, offset);
    case Type::boolean:
      return envelope_.set_extension(object.boolean ? "true" : "false", TENON_ATTRIBUTE_BOOLEAN);
    case Type::binary:
      return envelope_.set_extension(base64(object.octets), TENON_ATTRIBUTE_BINARY);
    case Type::integer:
      if (object.beyond || !serializers::fits_integer_attribute(object.integer)) {
        refuse_attribute(envelope_.claimed_extension(), offset,
                         "must be an integer from -2147483648 to 2147483647; write other numbers as str");
      }
      return envelope_.set_extension(serializers::integer_text(object.integer, envelope_.scratch()),
                                     TENON_ATTRIBUTE_INTEGER);
    default:
      refuse_attribute(envelope_.claimed_extension(), offset,
                       "must be str, an integer, a boolean or bin; put structured values in data");
  }
}

void EventReader::data(Objects& objects) {
  const std::string_view rest = objects.rest();
  if (rest.empty() || is_binary(rest.front())) {
    const Object object = objects.take();  // says so if the input ends
    envelope_.set_data(TENON_DATA_BYTES, object.octets);
    return;
  }
  const std::size_t size = check_value(rest, objects.offset());
  objects.skip(size);
  envelope_.set_data(TENON_DATA_VALUE, rest.substr(0, size));
}

std::string_view EventReader::base64(std::string_view octets) {
  const std::size_t size = serializers::base64_encoded_size(octets.size());
  if (size == 0) return "";  // present and empty: its pointer must not be null
  char* letters = envelope_.scratch().take(size);
  serializers::base64_encode(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size(), letters);
  return {letters, size};
}

}  // namespace tenon::msgpack_plugin
