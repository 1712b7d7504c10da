// Before the headers, where what it silences stands: GCC 12 warns of std::regex in its own header when that is inlined
// under the sanitizers.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "message/schema_source.hpp"

#include <algorithm>
#include <regex>
#include <string_view>
#include <unordered_map>

#include "common/json_writer.hpp"
#include "message/value_rules.hpp"

namespace tenon::message {

namespace {

using Place = const char*;  // a schema is known by where it stands in the text

enum class Holds { schema, schemas, named_schemas };

struct Keyword {
  std::string_view name;
  Holds holds;
  bool in_place = false;  // its schemas look at the same value
};

constexpr Keyword kApplicators[] = {
    {"allOf", Holds::schemas, true},       {"anyOf", Holds::schemas, true},
    {"oneOf", Holds::schemas, true},       {"not", Holds::schema, true},
    {"if", Holds::schema, true},           {"then", Holds::schema, true},
    {"else", Holds::schema, true},         {"contains", Holds::schema},
    {"additionalItems", Holds::schema},    {"additionalProperties", Holds::schema},
    {"properties", Holds::named_schemas},  {"patternProperties", Holds::named_schemas},
    {"definitions", Holds::named_schemas}, {"$defs", Holds::named_schemas},
};

constexpr std::string_view kCounts[] = {"minItems", "maxItems", "minProperties", "maxProperties"};

class Preparation {
 public:
  explicit Preparation(const JsonValue& root) : root_(root) {}

  Result<SchemaSource> run() {
    if (Status draft = check_draft(); !draft.ok()) return std::move(draft).error();
    Status written = write_schema(root_, true);
    if (!written.ok()) return std::move(written).error();
    for (const auto& [ref, target] : references_)
      if (!schemas_.contains(target))
        return ref.problem("\"$ref\" points to no schema of this document; put it under \"definitions\"");
    if (Status nesting = check_nesting(); !nesting.ok()) return std::move(nesting).error();
    source_.text = out_.take();
    return std::move(source_);
  }

 private:
  struct Node {
    std::vector<Place> in_place;  // schemas that look at the same value
    unsigned depth = 0;           // 0: not known yet; the longest chain from here
    bool open = false;            // on the way that is being followed
  };

  Status check_draft() const {
    const auto draft = root_.find("$schema");
    if (!draft || !draft->is_string()) return {};
    for (const std::string_view known : {"draft-04", "draft-06", "draft-07"})
      if (draft->as_string()->find(known) != std::string_view::npos) return {};
    return draft->mismatch("a draft up to 7, such as \"http://json-schema.org/draft-07/schema#\"");
  }

  // The walk is as deep as the document, which its parser bounds.
  Status write_schema(const JsonValue& schema, bool is_root = false) {
    const Place place = schema.raw().data();
    Node& node = schemas_[place];
    if (schema.as_bool()) {
      out_.value(*schema.as_bool());
      return {};
    }
    if (!schema.is_object()) return schema.mismatch("a schema: an object, true or false");
    out_.begin_object();
    if (const auto ref = schema.find("$ref")) {
      TENON_TRY(write_reference(*ref, node));
      for (const std::string_view name : {"definitions", "$defs"})  // its other neighbours do not count (draft 7)
        if (const auto named = schema.find(name)) TENON_TRY(write_named(*named, name));
    } else {
      TENON_TRY(write_members(schema, node));
    }
    if (is_root) TENON_TRY(write_moved());
    out_.end_object();
    return {};
  }

  Status write_members(const JsonValue& schema, Node& node) {
    auto rules = ValueRules::read(schema);
    if (!rules.ok()) return std::move(rules).error();
    out_.member("rules", source_.rules.size());
    source_.rules.push_back(std::move(*rules));
    for (const Keyword& keyword : kApplicators)
      if (const auto value = schema.find(keyword.name)) TENON_TRY(write_applicator(keyword, *value, node));
    if (const auto items = schema.find("items")) {
      out_.key("items");
      TENON_TRY(items->is_array() ? write_list(*items, nullptr) : write_schema(*items));
    }
    for (const std::string_view name : kCounts) {
      const auto count = schema.find(name);
      if (!count) continue;
      if (!count->as_u64() || *count->as_u64() > INT32_MAX) return count->mismatch("an integer from 0 to 2147483647");
      out_.member(name, *count->as_u64());
    }
    if (const auto required = schema.find("required")) TENON_TRY(write_strings(*required, "required"));
    if (const auto names = schema.find("propertyNames")) {
      out_.key("propertyNames");
      move(*names);
    }
    if (const auto dependencies = schema.find("dependencies")) TENON_TRY(write_dependencies(*dependencies, node));
    return {};
  }

  Status write_applicator(const Keyword& keyword, const JsonValue& value, Node& node) {
    if (keyword.name == "patternProperties") {
      source_.matches_names = true;
      for (const JsonMember& member : value.members()) TENON_TRY(check_name_pattern(member.value));
    }
    if (keyword.holds == Holds::named_schemas) return write_named(value, keyword.name);
    out_.key(keyword.name);
    if (keyword.holds == Holds::schemas) return write_list(value, keyword.in_place ? &node : nullptr);
    if (keyword.in_place) node.in_place.push_back(value.raw().data());
    return write_schema(value);
  }

  Status write_named(const JsonValue& value, std::string_view name) {
    if (!value.is_object()) return value.mismatch("an object of schemas");
    out_.key(name).begin_object();
    for (const JsonMember& member : value.members()) {
      out_.key(member.key);
      TENON_TRY(write_schema(member.value));
    }
    out_.end_object();
    return {};
  }

  Status write_list(const JsonValue& value, Node* in_place) {
    if (!value.is_array() || value.size() == 0) return value.mismatch("an array of at least one schema");
    out_.begin_array();
    for (const JsonValue& item : value.elements()) {
      if (in_place != nullptr) in_place->in_place.push_back(item.raw().data());
      TENON_TRY(write_schema(item));
    }
    out_.end_array();
    return {};
  }

  Status write_strings(const JsonValue& value, std::string_view name) {
    if (!value.is_array()) return value.mismatch("an array of names");
    out_.key(name).begin_array();
    for (const JsonValue& item : value.elements()) {
      if (!item.is_string()) return item.mismatch("a name, as a string");
      if (item.as_string()->find('\0') != std::string_view::npos)
        return item.problem("a name must not hold a NUL character");
      out_.value(*item.as_string());
    }
    out_.end_array();
    return {};
  }

  Status write_dependencies(const JsonValue& value, Node& node) {
    if (!value.is_object()) return value.mismatch("an object of names or schemas");
    out_.key("dependencies").begin_object();
    for (const JsonMember& member : value.members()) {
      if (member.value.is_array()) {
        TENON_TRY(write_strings(member.value, member.key));
        continue;
      }
      node.in_place.push_back(member.value.raw().data());
      out_.key(member.key);
      move(member.value);
    }
    out_.end_object();
    return {};
  }

  // Writes a reference here, and the schema itself at the end of the document.
  void move(const JsonValue& schema) {
    out_.begin_object().member("$ref", "#/moved/" + std::to_string(moved_.size())).end_object();
    moved_.push_back(schema);
  }

  Status write_moved() {
    out_.key("moved").begin_object();
    for (std::size_t i = 0; i < moved_.size(); ++i) {  // it grows meanwhile
      out_.key(std::to_string(i));
      const JsonValue schema = moved_[i];
      TENON_TRY(write_schema(schema));
    }
    out_.end_object();
    return {};
  }

  Status write_reference(const JsonValue& ref, Node& node) {
    const auto text = ref.as_string();
    if (!text) return ref.mismatch("a string such as \"#/definitions/name\"");
    if (text->empty() || text->front() != '#')
      return ref.problem(
          "\"$ref\" must stay inside this document (\"#/definitions/name\"); other documents are never fetched");
    if (text->size() > 1 && (*text)[1] != '/')
      return ref.problem("\"$ref\" must be a JSON pointer such as \"#/definitions/name\"");
    if (text->find('%') != std::string_view::npos) return ref.problem("\"$ref\" must not be percent-encoded");
    const auto target = resolve(text->substr(1));
    if (!target) return ref.problem("\"$ref\" points to nothing in this document");
    // A chain of references is resolved while compiling, which needs to end as well.
    node.in_place.push_back(target->raw().data());
    references_.emplace_back(ref, target->raw().data());
    out_.member("$ref", *text);
    return {};
  }

  std::optional<JsonValue> resolve(std::string_view pointer) const {
    JsonValue at = root_;
    while (!pointer.empty()) {
      pointer.remove_prefix(1);
      const std::size_t slash = pointer.find('/');
      std::string token(pointer.substr(0, slash));
      pointer = slash == std::string_view::npos ? std::string_view() : pointer.substr(slash);
      for (std::size_t i = 0; (i = token.find("~1", i)) != std::string::npos;) token.replace(i++, 2, "/");
      for (std::size_t i = 0; (i = token.find("~0", i)) != std::string::npos;) token.replace(i++, 2, "~");
      if (token.empty()) return std::nullopt;
      if (at.is_array()) {
        if (token.size() > 6 || token.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
        const std::size_t index = std::stoul(token);
        if (index >= at.size()) return std::nullopt;
        at = at.at(index);
        continue;
      }
      const auto member = at.find(token);
      if (!member) return std::nullopt;
      at = *member;
    }
    return at;
  }

  // valijson matches names with backtracking. Without a repeated group there is nothing to explode exponentially, and
  // few repetitions over short names keep the rest small.
  static Status check_name_pattern(const JsonValue& member) {
    const std::string pattern(member.key());
    const auto refuse = [&](std::string_view why) { return Status(member.problem("the pattern " + std::string(why))); };
    if (pattern.size() > 256) return refuse("has more than 256 octets");
    try {
      const std::regex compiled(pattern, std::regex::ECMAScript | std::regex_constants::__polynomial);
    } catch (const std::regex_error& e) {
      return refuse("is no regular expression (ECMAScript, without back references): " + std::string(e.what()));
    }
    unsigned repetitions = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] == '\\') {
        ++i;
        continue;
      }
      if (pattern[i] != '*' && pattern[i] != '+' && pattern[i] != '{') continue;
      if (i > 0 && pattern[i - 1] == ')' && (i < 2 || pattern[i - 2] != '\\'))
        return refuse("repeats a group, which may take for ever; repeat single characters or classes only");
      ++repetitions;
    }
    if (repetitions > 4) return refuse("has more than four repetitions");
    return {};
  }

  // Longest chains of schemas that look at one value, by depth-first search with a stack of its own.
  Status check_nesting() {
    for (auto& [start, unused] : schemas_) {
      std::vector<std::pair<Place, std::size_t>> way{{start, 0}};
      if (schemas_[start].depth != 0) continue;
      schemas_[start].open = true;
      while (!way.empty()) {
        auto& [place, next] = way.back();
        Node& node = schemas_[place];
        if (next < node.in_place.size()) {
          const Place child = node.in_place[next++];
          Node& below = schemas_[child];
          if (below.open) return root_.problem("a schema refers to itself without going deeper into the value");
          if (below.depth != 0) continue;
          below.open = true;
          way.emplace_back(child, 0);
          continue;
        }
        node.depth = 1;
        for (const Place child : node.in_place) node.depth = std::max(node.depth, schemas_[child].depth + 1);
        if (node.depth > kMaxSchemaNesting) return root_.problem("schemas are nested more than 16 deep over one value");
        node.open = false;
        way.pop_back();
      }
    }
    return {};
  }

  JsonValue root_;
  JsonWriter out_;
  SchemaSource source_;
  std::unordered_map<Place, Node> schemas_;
  std::vector<std::pair<JsonValue, Place>> references_;
  std::vector<JsonValue> moved_;
};

}  // namespace

Result<SchemaSource> prepare_schema(const JsonValue& root) { return Preparation(root).run(); }

}  // namespace tenon::message
