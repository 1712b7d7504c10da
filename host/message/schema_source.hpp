// Checks a JSON Schema and rewrites it into the part of the language that valijson 1.0 handles well.
//
// The rewritten schema has the structure of the original (properties, items, allOf, …) under the same names, so
// references keep their targets. The rules of single values are taken out of each schema object into ValueRules and
// stand there as `"rules": <index>`; every schema object has that member. Annotations are left out.
//
// Refused, with file, line and keyword: drafts after 7, a "$ref" that leaves the document or points to no schema of it,
// schemas that refer to themselves without going deeper into the value (checking them would not end), patterns of
// patternProperties that could backtrack without bound, unknown or ill-typed keyword values.
//
// Names that valijson would confuse: it caches by path, and gives the schemas of propertyNames and dependencies the
// path of their parent. They are therefore moved to "#/moved/<n>".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/json_document.hpp"

namespace tenon::message {

class ValueRules;

inline constexpr unsigned kMaxSchemaNesting = 16;      // allOf, anyOf, if, … one inside the other, references followed
inline constexpr std::size_t kMaxMatchedName = 128;    // octets of a member's name where patternProperties apply

struct SchemaSource {
  std::string text;  // for valijson, draft 7
  std::vector<std::shared_ptr<const ValueRules>> rules;
  bool matches_names = false;  // it has patternProperties
};

// errc::bad_data or errc::invalid_argument, fault::caller.
Result<SchemaSource> prepare_schema(const JsonValue& root);

}  // namespace tenon::message
