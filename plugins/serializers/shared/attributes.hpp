// The members of an event that have a meaning, and the rule for all other names.
//
// Every name that arrives is looked up here once, so the lookup is a switch on length and then one or two compares of
// known size; no hash, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <tenon/event.h>

namespace tenon::serializers {

// In the order of tenon_event; the first kTextAttributes are its tenon_str fields.
enum class Attribute : std::uint8_t {
  specversion, id, source, type, time, subject, datacontenttype, dataschema,
  topic, target, replyto, correlationid, expirytime, traceparent, tracestate,
  priority, data,
  data_base64,  // only the JSON format has this member
  extension,    // any other name; it may still be an illegal one
};

inline constexpr std::size_t kTextAttributes = 15;

// What a text attribute must be beyond UTF-8.
enum class Rule : std::uint8_t { any, not_empty, timestamp, version };

struct TextAttribute {
  std::string_view name;
  tenon_str tenon_event::*field;
  Rule rule;
};

// Indexed by Attribute. Source of the rules: CloudEvents 1.0.2, "Context Attributes".
inline constexpr std::array<TextAttribute, kTextAttributes> kText = {{
    {"specversion", &tenon_event::specversion, Rule::version},
    {"id", &tenon_event::id, Rule::not_empty},
    {"source", &tenon_event::source, Rule::not_empty},
    {"type", &tenon_event::type, Rule::not_empty},
    {"time", &tenon_event::time, Rule::timestamp},
    {"subject", &tenon_event::subject, Rule::not_empty},
    {"datacontenttype", &tenon_event::datacontenttype, Rule::not_empty},
    {"dataschema", &tenon_event::dataschema, Rule::not_empty},
    {"topic", &tenon_event::topic, Rule::any},
    {"target", &tenon_event::target, Rule::any},
    {"replyto", &tenon_event::replyto, Rule::any},
    {"correlationid", &tenon_event::correlationid, Rule::any},
    {"expirytime", &tenon_event::expirytime, Rule::timestamp},
    {"traceparent", &tenon_event::traceparent, Rule::any},
    {"tracestate", &tenon_event::tracestate, Rule::any},
}};

// The name of a member that is not an extension.
inline std::string_view name_of(Attribute which) noexcept {
  switch (which) {
    case Attribute::priority: return "priority";
    case Attribute::data: return "data";
    case Attribute::data_base64: return "data_base64";
    case Attribute::extension: return "extension";
    default: return kText[static_cast<std::size_t>(which)].name;
  }
}

// A compare of a size known at compile time becomes one or two loads.
template <std::size_t N>
inline bool same(const char* at, const char (&name)[N]) noexcept {
  return std::memcmp(at, name, N - 1) == 0;
}

// Which member `name` is; Attribute::extension for every name without a meaning.
inline Attribute find_attribute(std::string_view name) noexcept {
  const char* at = name.data();
  switch (name.size()) {
    case 2: return same(at, "id") ? Attribute::id : Attribute::extension;
    case 4:
      if (same(at, "type")) return Attribute::type;
      if (same(at, "data")) return Attribute::data;
      return same(at, "time") ? Attribute::time : Attribute::extension;
    case 5: return same(at, "topic") ? Attribute::topic : Attribute::extension;
    case 6:
      if (same(at, "source")) return Attribute::source;
      return same(at, "target") ? Attribute::target : Attribute::extension;
    case 7:
      if (same(at, "subject")) return Attribute::subject;
      return same(at, "replyto") ? Attribute::replyto : Attribute::extension;
    case 8: return same(at, "priority") ? Attribute::priority : Attribute::extension;
    case 10:
      if (same(at, "dataschema")) return Attribute::dataschema;
      if (same(at, "expirytime")) return Attribute::expirytime;
      return same(at, "tracestate") ? Attribute::tracestate : Attribute::extension;
    case 11:
      if (same(at, "specversion")) return Attribute::specversion;
      if (same(at, "traceparent")) return Attribute::traceparent;
      return same(at, "data_base64") ? Attribute::data_base64 : Attribute::extension;
    case 13: return same(at, "correlationid") ? Attribute::correlationid : Attribute::extension;
    case 15: return same(at, "datacontenttype") ? Attribute::datacontenttype : Attribute::extension;
    default: return Attribute::extension;
  }
}

// CloudEvents 1.0.2, "Naming Conventions": lower-case ASCII letters and digits only, at least one.
inline bool is_attribute_name(std::string_view name) noexcept {
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return false;
  }
  return !name.empty();
}

}  // namespace tenon::serializers
