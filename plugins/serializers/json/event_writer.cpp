#include "event_writer.hpp"

#include "../shared/attributes.hpp"
#include "../shared/base64.hpp"
#include "../shared/integer.hpp"
#include "../shared/media_type.hpp"
#include "../shared/refuse.hpp"
#include "../shared/utf8.hpp"
#include "text.hpp"

namespace tenon::json_plugin {

using serializers::Attribute;
using serializers::Output;
using serializers::invalid_argument;

namespace {

std::string_view view(tenon_str text) noexcept { return {text.data, text.size}; }

// Puts `{` before the first member and `,` before all others.
class Members {
 public:
  explicit Members(Output& out) noexcept : out_(out) {}

  void name(std::string_view name) {
    char* to = out_.room(name.size() + 4);
    *to++ = separator_;
    separator_ = ',';
    *to++ = '"';
    std::memcpy(to, name.data(), name.size());
    to += name.size();
    *to++ = '"';
    *to = ':';
    out_.commit(name.size() + 4);
  }
  void end() {
    if (separator_ == '{') out_.put('{');
    out_.put('}');
  }

 private:
  Output& out_;
  char separator_ = '{';
};

[[noreturn, gnu::cold]] void refuse_value(tenon_str name, const char* rule) {
  invalid_argument("attribute \"" + serializers::printable(view(name)) + "\": " + rule);
}

void put_attribute(Output& out, Members& members, const tenon_attribute& attribute) {
  const std::string_view value = view(attribute.value);
  members.name(view(attribute.name));
  switch (attribute.type) {
    case TENON_ATTRIBUTE_STRING:
    case TENON_ATTRIBUTE_BINARY:
      return put_string(out, value);
    case TENON_ATTRIBUTE_INTEGER: {
      const auto integer = serializers::parse_integer_attribute(value);
      if (!integer) refuse_value(attribute.name, "an integer attribute must be a whole number of 32 bits");
      return put_integer(out, *integer);
    }
    case TENON_ATTRIBUTE_BOOLEAN:
      if (value != "true" && value != "false") refuse_value(attribute.name, "a boolean attribute is true or false");
      return out.append(value);
    default:
      refuse_value(attribute.name, "has a type that this serializer does not know; use a TENON_ATTRIBUTE_ type");
  }
}

void put_extension(Output& out, Members& members, const tenon_attribute& extension) {
  const std::string_view name = view(extension.name);
  if (serializers::find_attribute(name) != Attribute::extension || !serializers::is_attribute_name(name)) {
    refuse_value(extension.name,
                 "is no legal name of an extension; use the letters a-z and digits, and no name of the core");
  }
  put_attribute(out, members, extension);
}

void put_data(Output& out, Members& members, const tenon_event& event) {
  const std::string_view data(reinterpret_cast<const char*>(event.data.data), event.data.size);
  switch (event.data_kind) {
    case TENON_DATA_NONE:
      return;
    case TENON_DATA_VALUE:
      if (view(event.format) != "application/json") {
        serializers::untranslatable("data is a value in " + serializers::printable(view(event.format)) +
                                    "; transcode it to application/json with the value stream first");
      }
      members.name("data");
      return out.append(data);
    case TENON_DATA_BYTES:
      if (serializers::is_text_type(view(event.datacontenttype)) &&
          serializers::first_invalid_utf8(data) == serializers::kValidUtf8) {
        members.name("data");
        return put_string(out, data);
      }
      members.name("data_base64");
      return put_base64(out, data);
    case TENON_DATA_BASE64:
      if (!serializers::is_base64(data))
        invalid_argument("data of kind TENON_DATA_BASE64 is not base64; check it first");
      members.name("data_base64");
      out.put('"');
      out.append(data);
      return out.put('"');
    default:
      invalid_argument("data_kind is none that this serializer knows; use a TENON_DATA_ kind");
  }
}

std::size_t skip_blanks(std::string_view text, std::size_t from) noexcept {
  const std::size_t at = text.find_first_not_of(" \t\r\n", from);
  return at == std::string_view::npos ? text.size() : at;
}

}  // namespace

void write_event(const tenon_event& event, Output& out) {
  Members members(out);
  for (const serializers::TextAttribute& attribute : serializers::kText) {
    const tenon_str value = event.*attribute.field;
    if (value.data == nullptr) continue;
    members.name(attribute.name);
    put_string(out, view(value));
  }
  if (event.priority > 10) invalid_argument("priority must be from 1 to 10, or 0 for none");
  if (event.priority != 0) {
    members.name("priority");
    put_integer(out, event.priority);
  }
  for (std::uint32_t i = 0; i < event.extension_count; ++i) put_extension(out, members, event.extensions[i]);
  put_data(out, members, event);
  members.end();
}

std::size_t splice(std::string_view encoded, const tenon_attribute* added, std::size_t count, Output& out) {
  const std::size_t open = skip_blanks(encoded, 0);
  if (open == encoded.size() || encoded[open] != '{')
    serializers::refuse("an event is a JSON object; expected '{'", open);
  Members members(out);
  for (std::size_t i = 0; i < count; ++i) {
    if (!serializers::is_attribute_name(view(added[i].name))) {
      refuse_value(added[i].name, "is no legal attribute name; use the letters a-z and digits");
    }
    put_attribute(out, members, added[i]);
  }
  if (count == 0) {
    out.put('{');
  } else {
    const std::size_t first = skip_blanks(encoded, open + 1);
    if (first == encoded.size() || encoded[first] != '}') out.put(',');
  }
  return open + 1;
}

}  // namespace tenon::json_plugin
