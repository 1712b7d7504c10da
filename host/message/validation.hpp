// JSON Schemas of event types: compiled once, checked against the data of events.
//
// The model. A schema file says which event type it is for by its "$id" (the dataschema URI) and by the member
// "x-tenon-type" (the event type, or a pattern of types with '*' and '>'). An event is checked against the schema that
// its `dataschema` names, else against that of its type; an event for which there is none passes.
//
// Drafts up to 7 (what valijson knows); a remote "$ref" is refused. A schema that cannot be compiled is an error of
// whoever configured it, never an abort. Checking parses the data with simdjson's DOM. Source: JSON Schema draft 7.
//
// Limits of data: 256 levels of nesting; each member's name once an object; strings that are matched against a
// `pattern` have at most 2048 octets. Limits of schemas are in schema_source.hpp and value_rules.hpp. A number without
// a fraction is an integer (1.0 is). Of `format`, date-time, date and time are checked.
//
// [loop]. A check is linear in the data, with the schema's own cost per value; a schema that branches without bound is
// given up on, which is a finding.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/result.hpp"

namespace tenon::message {

// One thing that is wrong with a value.
struct SchemaFinding {
  std::string pointer;  // JSON pointer (RFC 6901) of the value inside the data; "" is the whole
  std::string message;  // the value found and the rule it breaks
};

class Schema {
 public:
  // `text` is a JSON Schema. errc::bad_data, fault::caller, with `name` and what is wrong.
  static Result<std::unique_ptr<Schema>> compile(std::string_view text, const std::string& name);
  ~Schema();

  // Everything that is wrong with the value, at most `limit`; empty: valid. `json` is one JSON text; malformed text is
  // one finding. It need not be padded.
  std::vector<SchemaFinding> findings(std::string_view json, std::size_t limit = 16) const;
  // The same as one error: errc::bad_data with the first few findings.
  Status check(std::string_view json) const;
  const std::string& name() const noexcept { return name_; }

 private:
  struct Impl;
  Schema(std::string name, std::unique_ptr<Impl> impl);
  std::string name_;
  std::unique_ptr<Impl> impl_;
};

// A schema file as it was read.
struct SchemaText {
  std::string file, text;
};

class SchemaRegistry {
 public:
  static constexpr std::size_t kMaxSchemas = 10'000;

  // Every file *.json of the directory and those below it, in order of path, but for folders named "examples…". A file
  // that is no event schema (no "x-tenon-type") is compiled and found by its "$id" only. errc::bad_data names the file;
  // errc::already_exists two files for one type or id.
  Status add_directory(const std::string& directory);
  // The same files, read and not yet looked at.
  static Result<std::vector<SchemaText>> read_directory(const std::string& directory);
  Status add(std::string_view text, const std::string& file);
  // The one whose "$id" is `dataschema`, else that of the type, else that of the first matching pattern. Null: none
  // applies.
  const Schema* find(std::string_view type, std::string_view dataschema) const;
  std::size_t size() const noexcept { return schemas_.size(); }
  struct Entry {
    std::string file, type, id;
  };
  const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  std::vector<std::unique_ptr<Schema>> schemas_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, const Schema*, Hash, std::equal_to<>> by_type_, by_id_;
  std::vector<std::pair<std::string, const Schema*>> by_pattern_;
};

}  // namespace tenon::message
