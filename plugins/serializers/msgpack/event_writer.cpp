#include "event_writer.hpp"

#include "../shared/attributes.hpp"
#include "../shared/base64.hpp"
#include "../shared/integer.hpp"
#include "objects.hpp"
#include "packing.hpp"

namespace tenon::msgpack_plugin {

using serializers::Attribute;
using serializers::Output;
using serializers::invalid_argument;

namespace {

std::string_view view(tenon_str text) noexcept { return {text.data, text.size}; }

[[noreturn, gnu::cold]] void refuse_value(tenon_str name, const char* rule) {
  invalid_argument("attribute \"" + serializers::printable(view(name)) + "\": " + rule);
}

// The octets behind base64 text, as `bin`.
void put_decoded(Output& out, Packer& packer, std::string_view letters) {
  const std::size_t size = serializers::base64_decoded_size(letters);
  packer.pack_bin(checked_size(size));
  serializers::base64_decode(letters, reinterpret_cast<std::uint8_t*>(out.room(size)));
  out.commit(size);
}

void put_attribute(Output& out, Packer& packer, const tenon_attribute& attribute) {
  const std::string_view value = view(attribute.value);
  put_text(packer, view(attribute.name));
  switch (attribute.type) {
    case TENON_ATTRIBUTE_STRING:
      return put_text(packer, value);
    case TENON_ATTRIBUTE_INTEGER: {
      const auto integer = serializers::parse_integer_attribute(value);
      if (!integer) refuse_value(attribute.name, "an integer attribute must be a whole number of 32 bits");
      packer.pack_int32(*integer);
      return;
    }
    case TENON_ATTRIBUTE_BOOLEAN:
      if (value != "true" && value != "false") refuse_value(attribute.name, "a boolean attribute is true or false");
      value == "true" ? packer.pack_true() : packer.pack_false();
      return;
    case TENON_ATTRIBUTE_BINARY:
      if (!serializers::is_base64(value)) refuse_value(attribute.name, "a binary attribute must be base64");
      return put_decoded(out, packer, value);
    default:
      refuse_value(attribute.name, "has a type that this serializer does not know; use a TENON_ATTRIBUTE_ type");
  }
}

void put_extension(Output& out, Packer& packer, const tenon_attribute& extension) {
  const std::string_view name = view(extension.name);
  if (serializers::find_attribute(name) != Attribute::extension || !serializers::is_attribute_name(name)) {
    refuse_value(extension.name,
                 "is no legal name of an extension; use the letters a-z and digits, and no name of the core");
  }
  put_attribute(out, packer, extension);
}

void put_data(Output& out, Packer& packer, const tenon_event& event) {
  if (event.data_kind == TENON_DATA_NONE) return;
  const std::string_view data(reinterpret_cast<const char*>(event.data.data), event.data.size);
  put_text(packer, "data");
  switch (event.data_kind) {
    case TENON_DATA_VALUE:
      if (view(event.format) != "application/msgpack") {
        serializers::untranslatable("data is a value in " + serializers::printable(view(event.format)) +
                                    "; transcode it to application/msgpack with the value stream first");
      }
      return out.append(data);
    case TENON_DATA_BYTES:
      return put_binary(packer, data);
    case TENON_DATA_BASE64:
      if (!serializers::is_base64(data))
        invalid_argument("data of kind TENON_DATA_BASE64 is not base64; check it first");
      return put_decoded(out, packer, data);
    default:
      invalid_argument("data_kind is none that this serializer knows; use a TENON_DATA_ kind");
  }
}

std::uint32_t count_members(const tenon_event& event) noexcept {
  std::uint32_t count = event.extension_count;
  for (const serializers::TextAttribute& attribute : serializers::kText) {
    count += (event.*attribute.field).data != nullptr ? 1 : 0;
  }
  return count + (event.priority != 0 ? 1 : 0) + (event.data_kind != TENON_DATA_NONE ? 1 : 0);
}

}  // namespace

void write_event(const tenon_event& event, Output& out) {
  Packer packer(out);
  packer.pack_map(count_members(event));
  for (const serializers::TextAttribute& attribute : serializers::kText) {
    const tenon_str value = event.*attribute.field;
    if (value.data == nullptr) continue;
    put_text(packer, attribute.name);
    put_text(packer, view(value));
  }
  if (event.priority > 10) invalid_argument("priority must be from 1 to 10, or 0 for none");
  if (event.priority != 0) {
    put_text(packer, "priority");
    packer.pack_uint32(event.priority);
  }
  for (std::uint32_t i = 0; i < event.extension_count; ++i) put_extension(out, packer, event.extensions[i]);
  put_data(out, packer, event);
}

std::size_t splice(std::string_view encoded, const tenon_attribute* added, std::size_t count, Output& out) {
  Objects objects(encoded);
  const Object map = objects.take();
  if (map.type != Type::map) serializers::refuse("an event is a MessagePack map with text keys", 0);
  Packer packer(out);
  packer.pack_map(checked_size(map.count + count));
  for (std::size_t i = 0; i < count; ++i) {
    if (!serializers::is_attribute_name(view(added[i].name))) {
      refuse_value(added[i].name, "is no legal attribute name; use the letters a-z and digits");
    }
    put_attribute(out, packer, added[i]);
  }
  return objects.offset();
}

}  // namespace tenon::msgpack_plugin
