// One object of the config as a table: its keys, and what each does with its value.
//
// A section's table is the only place that knows its keys; defaults are the initializers of the struct that it fills. A
// test holds all tables against schemas/config.schema.json.
//
// Several files may each say something about a section that `merges`. There a key that is given twice is an error that
// names both places, unless the key `adds`: a section that merges itself, or a list that grows.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_reader.hpp"
#include "common/text.hpp"

namespace tenon::app {

enum class KeyRule : std::uint8_t {
  once,
  adds,
  reserved,  // known and refused: this version does not support it
};

template <class T>
struct Key {
  std::string_view name;
  void (*read)(ConfigReader& reader, const JsonValue& at, T& out);  // null where reserved
  KeyRule rule = KeyRule::once;
};

template <class T>
struct Section {
  std::string_view name;  // of its definition in the schema; "" is the schema's root
  std::span<const Key<T>> keys;
  std::vector<std::string_view> required = {};
  bool merges = false;
};

// A section without its types, for the test that compares tables and schema.
struct SectionKeys {
  std::string_view name;
  std::vector<std::string_view> keys;
  std::vector<std::string_view> reserved;
  std::vector<std::string_view> required;
};

template <class T>
SectionKeys keys_of(const Section<T>& section) {
  SectionKeys keys{section.name, {}, {}, section.required};
  for (const Key<T>& key : section.keys) {
    (key.rule == KeyRule::reserved ? keys.reserved : keys.keys).push_back(key.name);
  }
  return keys;
}

namespace detail {

template <class T>
void read_member(ConfigReader& reader, const JsonValue& at, const Section<T>& section, T& out) {
  for (const Key<T>& key : section.keys) {
    if (key.name != at.key()) continue;
    if (key.rule == KeyRule::reserved) {
      reader.refuse_key(at, "\"" + std::string(key.name) + "\" is not supported by this version; leave it out",
                        "nothing");
      return;
    }
    if (section.merges && key.rule == KeyRule::once) {
      if (const JsonValue* first = reader.given_before(at)) {
        reader.refuse(at, "is given a second time; keep this or the one at " + first->where(),
                      "a key that is given once");
        return;
      }
    }
    return key.read(reader, at, out);
  }
  std::vector<std::string_view> names;
  for (const Key<T>& key : section.keys) names.push_back(key.name);
  std::string near = suggestion(at.key(), names);
  std::string expected = names.empty() ? "nothing" : "one of";
  for (const std::string_view name : names) expected += (name == names.front() ? " " : ", ") + quote_for_message(name);
  reader.refuse_key(at, "there is no key of this name here" + (near.empty() ? "; leave it out" : near),
                    std::move(expected));
}

}  // namespace detail

// False, with a problem, if this is no object or lacks a required key; what is right is read nevertheless.
template <class T>
bool read_section(ConfigReader& reader, const JsonValue& at, const Section<T>& section, T& out) {
  if (!at.is_object()) return reader.wrong(at, "an object");
  for (const JsonMember member : at.members()) detail::read_member(reader, member.value, section, out);
  bool complete = true;
  for (const std::string_view name : section.required) {
    if (!at.find(name)) complete = reader.refuse(at, "\"" + std::string(name) + "\" is missing; add it",
                                                     "the key " + quote_for_message(name));
  }
  return complete;
}

}  // namespace tenon::app
