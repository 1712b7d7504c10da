// Before the headers, where what it silences stands: GCC 12 warns of std::regex in its own header when that is inlined
// under the sanitizers.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "message/validation.hpp"

#include <algorithm>
#include <typeinfo>

#include "common/json_document.hpp"
#include "common/text.hpp"
#include "message/schema_source.hpp"
#include "message/simdjson_adapter.hpp"
#include "message/value_rules.hpp"

#include <valijson/constraint_builder.hpp>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace tenon::message {

namespace {

constexpr std::size_t kMostWork = 20'000'000;      // about a tenth of a second, on the loop
constexpr std::size_t kMaxDepth = 256;             // of data; valijson recurses with it
constexpr std::size_t kKeptBuffer = 1024 * 1024;   // octets that the parser of data may keep from one check to the next
constexpr char kOwn = '\x01';                      // begins the descriptions that RulesConstraint made

// The rules of single values as a constraint of valijson's.
class RulesConstraint final : public valijson::constraints::PolyConstraint {
 public:
  explicit RulesConstraint(const ValueRules& rules) noexcept : rules_(rules) {}

  bool validate(const valijson::adapters::Adapter& target, const std::vector<std::string>& context,
                valijson::ValidationResults* results) const override {
    std::vector<std::string> broken;
    std::vector<std::string>* wanted = results == nullptr ? nullptr : &broken;
    bool valid = true;
    if (typeid(target) == typeid(SimdjsonAdapter)) {
      const auto& element = static_cast<const SimdjsonAdapter&>(target).element();
      valid = !element || rules_.check(*element, wanted);
    } else {  // the name of a member
      valid = rules_.check_text(target.asString(), wanted);
    }
    for (const std::string& sentence : broken) results->pushError(context, kOwn + sentence);
    return valid;
  }

 private:
  Constraint* cloneInto(void* memory) const override { return new (memory) RulesConstraint(*this); }
  std::size_t sizeOf() const override { return sizeof(RulesConstraint); }
  const ValueRules& rules_;
};

class RulesBuilder final : public valijson::ConstraintBuilder {
 public:
  explicit RulesBuilder(const std::vector<std::shared_ptr<const ValueRules>>& rules) : rules_(rules) {}
  valijson::constraints::Constraint* make(const valijson::adapters::Adapter& index) const override {
    return new RulesConstraint(*rules_[static_cast<std::size_t>(index.asInteger())]);
  }

 private:
  const std::vector<std::shared_ptr<const ValueRules>>& rules_;
};

// Parses data; keeps its memory from check to check.
class DataReader {
 public:
  simdjson::error_code parse(std::string_view json, simdjson::dom::element& out) {
    text_.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    text_.assign(json);
    text_.append(simdjson::SIMDJSON_PADDING, '\0');
    if (parser_.capacity() < json.size())
      if (const auto error = parser_.allocate(std::max<std::size_t>(json.size(), 4096), kMaxDepth)) return error;
    return parser_.parse(text_.data(), json.size(), false).get(out);
  }
  void shrink() {
    if (text_.capacity() <= kKeptBuffer + simdjson::SIMDJSON_PADDING) return;
    text_ = {};
    parser_ = simdjson::dom::parser();
  }

 private:
  std::string text_;
  simdjson::dom::parser parser_;
};

DataReader& data_reader() {
  thread_local DataReader reader;
  return reader;
}

std::string describe(simdjson::dom::element value) {
  switch (value.type()) {
    case simdjson::dom::element_type::STRING: return quote_for_message(value.get_string().value_unsafe(), 48);
    case simdjson::dom::element_type::ARRAY:
      return "an array of " + std::to_string(value.get_array().value_unsafe().size()) + " values";
    case simdjson::dom::element_type::OBJECT:
      return "an object of " + std::to_string(value.get_object().value_unsafe().size()) + " members";
    default: return simdjson::minify(value);
  }
}

void append_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (const char c : token) {
    if (c == '~') pointer += "~0";
    else if (c == '/') pointer += "~1";
    else pointer += c;
  }
}

// --- what valijson does not look at: names that stand twice, names too long to be matched ---

class NameCheck {
 public:
  NameCheck(bool matched, std::size_t limit, std::vector<SchemaFinding>& out)
      : matched_(matched), limit_(limit), out_(out) {}

  void walk(simdjson::dom::element value, const std::string& pointer) {
    simdjson::dom::array array;
    if (value.get(array) == simdjson::SUCCESS) {
      std::size_t index = 0;
      for (const simdjson::dom::element item : array) {
        if (item.is_array() || item.is_object()) walk(item, pointer + '/' + std::to_string(index));
        ++index;
      }
      return;
    }
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return;
    std::vector<std::string_view> names;
    for (const auto member : object) {
      names.push_back(member.key);
      if (matched_ && member.key.size() > kMaxMatchedName)
        report(pointer,
               "found the member " + quote_for_message(member.key, 48) + ", expected names of at most 128 octets");
      if (!member.value.is_array() && !member.value.is_object()) continue;
      std::string below = pointer;
      append_token(below, member.key);
      walk(member.value, below);
    }
    std::sort(names.begin(), names.end());
    for (auto twice = names.begin(); (twice = std::adjacent_find(twice, names.end())) != names.end(); ++twice)
      report(pointer, "found the member " + quote_for_message(*twice, 48) + " twice, expected each name once");
  }

 private:
  void report(const std::string& pointer, std::string message) {
    if (out_.size() < limit_) out_.push_back({pointer, std::move(message)});
  }
  bool matched_;
  std::size_t limit_;
  std::vector<SchemaFinding>& out_;
};

// --- valijson's words into ours ---

// The value that a context of valijson's ("<root>", "[task]", "[3]") names, and its JSON pointer.
struct Found {
  std::string pointer;
  std::optional<simdjson::dom::element> value;
};

Found locate(simdjson::dom::element root, const std::vector<std::string>& context) {
  Found found{{}, root};
  for (std::size_t i = 1; i < context.size(); ++i) {
    const std::string_view token = std::string_view(context[i]).substr(1, context[i].size() - 2);
    append_token(found.pointer, token);
    if (!found.value) continue;
    simdjson::dom::element next;
    const bool in_array = found.value->is_array();
    const auto error = in_array ? found.value->get_array().value_unsafe().at(std::stoul(std::string(token))).get(next)
                                : found.value->at_key(token).get(next);
    found.value = error == simdjson::SUCCESS ? std::optional(next) : std::nullopt;
  }
  return found;
}

std::string quoted_part(std::string_view text) {
  const std::size_t from = text.find('\''), to = text.rfind('\'');
  if (from == std::string_view::npos || to <= from) return {};
  return quote_for_message(text.substr(from + 1, to - from - 1));
}

std::string expectation(std::string_view description) {
  if (description.front() == kOwn) return std::string(description.substr(1));
  if (description.starts_with("Missing required property")) return "expected the member " + quoted_part(description);
  if (description.starts_with("Missing dependency"))
    return "expected the member " + quoted_part(description) + " along with the others";
  if (description.starts_with("Object contains a property")) {
    const std::size_t last = description.rfind(": '");
    return "expected no member " + quoted_part(description.substr(last == std::string_view::npos ? 0 : last));
  }
  if (description.find("'not' constraint") != std::string_view::npos)
    return "expected a value that the schema's \"not\" does not fit";
  if (description.find("'contains' constraint") != std::string_view::npos)
    return "expected an element that fits \"contains\"";
  if (description.find("anyOf") != std::string_view::npos) return "expected one of the alternatives (anyOf)";
  if (description.find("oneOf") != std::string_view::npos) return "expected one of the alternatives (oneOf)";
  if (description.find("exactly one") != std::string_view::npos)
    return "expected exactly one of the alternatives (oneOf)";
  return std::string(description.substr(0, description.find_last_not_of('.') + 1));
}

// Says of a value only that one inside it is wrong, which has a finding of its own.
bool is_consequence(std::string_view description) {
  return description.starts_with("Failed to validate") && description.find("exactly one") == std::string_view::npos;
}

}  // namespace

struct Schema::Impl {
  SchemaSource source;
  valijson::Schema schema;
  mutable valijson::Validator validator;

  void find(simdjson::dom::element root, std::size_t size, std::size_t limit, std::vector<SchemaFinding>& out) const;

 private:
  enum class Outcome { valid, invalid, gave_up };
  Outcome validate(simdjson::dom::element value, std::size_t step_limit, valijson::ValidationResults* results) const;
  void explain(simdjson::dom::element root, const valijson::ValidationResults& results, std::size_t limit,
               std::vector<SchemaFinding>& out) const;
};

// With `results`, why it is invalid, as far as it was found out. Nothing that valijson throws leaves here.
Schema::Impl::Outcome Schema::Impl::validate(simdjson::dom::element value, std::size_t step_limit,
                                             valijson::ValidationResults* results) const {
  struct Counting {  // ends the counting however this ends
    explicit Counting(SchemaWork& work) noexcept { SchemaWork::current = &work; }
    ~Counting() { SchemaWork::current = nullptr; }
  };
  const SimdjsonAdapter target(value);
  SchemaWork work{step_limit, kMostWork};
  try {
    const Counting counting(work);
    return validator.validate(schema, target, results) ? Outcome::valid : Outcome::invalid;
  } catch (const SchemaWork::Exceeded&) {
    return Outcome::gave_up;
  } catch (const std::exception&) {
    return Outcome::invalid;
  }
}

// Two passes: the usual, valid value costs no collecting, and an invalid one of any size yields a bounded collection,
// because the second pass ends with its work limit.
void Schema::Impl::find(simdjson::dom::element root, std::size_t size, std::size_t limit,
                        std::vector<SchemaFinding>& out) const {
  constexpr std::size_t kMostCollecting = 50'000;
  NameCheck(source.matches_names, limit, out).walk(root, {});
  if (!out.empty()) return;
  switch (validate(root, std::min(100'000 + 64 * size, kMostWork), nullptr)) {
    case Outcome::valid: return;
    case Outcome::gave_up:
      return out.push_back({"", "checking this value takes too long; let the schema branch less, or match shorter strings "
                                "with simpler patterns"});
    case Outcome::invalid: break;
  }
  valijson::ValidationResults results;
  validate(root, kMostCollecting, &results);
  explain(root, results, limit, out);
  if (out.empty()) out.push_back({"", "found " + describe(root) + ", which the schema refuses"});
}

void Schema::Impl::explain(simdjson::dom::element root, const valijson::ValidationResults& results, std::size_t limit,
                           std::vector<SchemaFinding>& out) const {
  const auto add = [&](bool consequences) {
    for (const valijson::ValidationResults::Error& error : results) {
      if (out.size() >= limit) return;
      if (is_consequence(error.description) != consequences) continue;
      const Found found = locate(root, error.context);
      SchemaFinding finding{found.pointer, expectation(error.description)};
      if (found.value) finding.message.insert(0, "found " + describe(*found.value) + ", ");
      const bool known = std::any_of(out.begin(), out.end(), [&](const SchemaFinding& f) {
        return f.pointer == finding.pointer && f.message == finding.message;
      });
      if (!known) out.push_back(std::move(finding));
    }
  };
  add(false);
  if (out.empty()) add(true);
}

Schema::Schema(std::string name, std::unique_ptr<Impl> impl) : name_(std::move(name)), impl_(std::move(impl)) {}
Schema::~Schema() = default;

Result<std::unique_ptr<Schema>> Schema::compile(std::string_view text, const std::string& name) {
  const auto refuse = [](Error error) { return Error(errc::bad_data, std::move(error.message), fault::caller); };
  auto document = JsonDocument::parse(std::string(text), name, {.max_bytes = 4 << 20});
  if (!document.ok()) return refuse(std::move(document).error());
  auto source = prepare_schema(document->root());
  if (!source.ok()) return refuse(std::move(source).error());

  auto impl = std::make_unique<Impl>();
  impl->source = std::move(*source);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (const auto error = parser.parse(impl->source.text).get(root))
    return refuse(Error(errc::bad_data, name + ": " + simdjson::error_message(error)));
  try {
    valijson::SchemaParser builder(valijson::SchemaParser::kDraft7);
    builder.addConstraintBuilder("rules", new RulesBuilder(impl->source.rules));  // the builder deletes it
    builder.populateSchema(SimdjsonAdapter(root), impl->schema);
  } catch (const std::exception& e) {
    return refuse(Error(errc::bad_data, name + ": the schema cannot be used: " + e.what()));
  }
  return std::unique_ptr<Schema>(new Schema(name, std::move(impl)));
}

std::vector<SchemaFinding> Schema::findings(std::string_view json, std::size_t limit) const {
  std::vector<SchemaFinding> out;
  if (limit == 0) return out;
  if (json.empty()) return {{"", "found no data, expected a value that fits the schema"}};
  DataReader& reader = data_reader();
  simdjson::dom::element root;
  const simdjson::error_code error = reader.parse(json, root);
  if (error == simdjson::DEPTH_ERROR) out.push_back({"", "found more than 256 levels of nesting, expected less"});
  else if (error != simdjson::SUCCESS)
    out.push_back({"", std::string("found no well-formed JSON: ") + simdjson::error_message(error)});
  else impl_->find(root, json.size(), limit, out);
  reader.shrink();
  return out;
}

Status Schema::check(std::string_view json) const {
  constexpr std::size_t kNamed = 3;
  const std::vector<SchemaFinding> found = findings(json);
  if (found.empty()) return {};
  std::string text = "the data breaks the schema " + name_ + ": ";
  for (std::size_t i = 0; i < found.size() && i < kNamed; ++i) {
    if (i != 0) text += "; ";
    text += (found[i].pointer.empty() ? std::string("the whole") : quote_for_message(found[i].pointer, 128)) + ": " +
            found[i].message;
  }
  if (found.size() > kNamed) text += "; and " + std::to_string(found.size() - kNamed) + " more";
  return Error(errc::bad_data, std::move(text), fault::caller);
}

}  // namespace tenon::message
