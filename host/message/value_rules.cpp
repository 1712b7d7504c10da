#include "message/value_rules.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include "common/json_writer.hpp"
#include "common/rfc3339.hpp"
#include "common/text.hpp"

namespace tenon::message {

namespace {

using simdjson::dom::element_type;

enum Type : unsigned { kNull = 1, kBoolean = 2, kInteger = 4, kNumber = 8, kString = 16, kArray = 32, kObject = 64 };

struct TypeName {
  std::string_view name, article;
  unsigned bits;
};
constexpr TypeName kTypeNames[] = {{"null", "null", kNull},          {"boolean", "true or false", kBoolean},
                                   {"integer", "an integer", kInteger}, {"number", "a number", kNumber | kInteger},
                                   {"string", "a string", kString},  {"array", "an array", kArray},
                                   {"object", "an object", kObject}};

unsigned type_of(simdjson::dom::element value) {
  switch (value.type()) {
    case element_type::NULL_VALUE: return kNull;
    case element_type::BOOL: return kBoolean;
    case element_type::STRING: return kString;
    case element_type::ARRAY: return kArray;
    case element_type::OBJECT: return kObject;
    case element_type::INT64:
    case element_type::UINT64: return kInteger;
    case element_type::DOUBLE: break;
  }
  const double number = value.get_double().value_unsafe();
  return std::trunc(number) == number ? kInteger : kNumber;
}

// long double holds every int64_t and uint64_t exactly.
long double number_of(simdjson::dom::element value) {
  if (value.is<std::int64_t>()) return static_cast<long double>(value.get_int64().value_unsafe());
  if (value.is<std::uint64_t>()) return static_cast<long double>(value.get_uint64().value_unsafe());
  return value.get_double().value_unsafe();
}

std::string to_text(long double number) {
  char text[64];
  const double shorter = static_cast<double>(number);
  const bool integral = std::trunc(number) == number && std::abs(number) < 0x1p63L;
  const auto end = integral ? std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(number))
                            : std::to_chars(text, text + sizeof text, shorter);
  return {text, end.ptr};
}


std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void append_canonical(std::string& out, simdjson::dom::element value);

void append_canonical_object(std::string& out, simdjson::dom::object object) {
  std::vector<std::pair<std::string_view, simdjson::dom::element>> members;
  for (const auto member : object) members.emplace_back(member.key, member.value);
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  out += '{';
  for (const auto& [key, member] : members) {
    out += std::to_string(key.size());
    out += ':';
    out += key;
    append_canonical(out, member);
  }
  out += '}';
}

// Texts go in with their length, so no two different values have one form. Depth is bounded by the parser.
void append_canonical(std::string& out, simdjson::dom::element value) {
  switch (value.type()) {
    case element_type::NULL_VALUE: out += 'n'; break;
    case element_type::BOOL: out += value.get_bool().value_unsafe() ? 't' : 'f'; break;
    case element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      out += 's' + std::to_string(text.size()) + ':';
      out += text;
      break;
    }
    case element_type::ARRAY: {
      const simdjson::dom::array array = value.get_array().value_unsafe();
      out += '[';
      for (const simdjson::dom::element item : array) append_canonical(out, item);
      out += ']';
      break;
    }
    case element_type::OBJECT: append_canonical_object(out, value.get_object().value_unsafe()); break;
    case element_type::UINT64: out += '#' + std::to_string(value.get_uint64().value_unsafe()) + ';'; break;
    case element_type::INT64:
    case element_type::DOUBLE: out += '#' + to_text(number_of(value)) + ';'; break;
  }
}

Result<std::optional<long double>> read_number(const JsonValue& schema, std::string_view keyword) {
  const auto value = schema.find(keyword);
  if (!value) return std::optional<long double>();
  if (const auto integer = value->as_i64()) return std::optional<long double>(static_cast<long double>(*integer));
  if (const auto number = value->as_double()) return std::optional<long double>(*number);
  return value->mismatch("a number");
}

Result<std::optional<std::uint64_t>> read_count(const JsonValue& schema, std::string_view keyword) {
  const auto value = schema.find(keyword);
  if (!value) return std::optional<std::uint64_t>();
  if (const auto count = value->as_u64()) return std::optional<std::uint64_t>(*count);
  return value->mismatch("an integer of at least 0");
}

}  // namespace

std::string canonical_json(simdjson::dom::element value) {
  std::string out;
  append_canonical(out, value);
  return out;
}

// Collects sentences; without a place for them it only remembers that there was something.
struct ValueRules::Report {
  std::vector<std::string>* broken;
  bool fails(std::string sentence) const {
    if (broken != nullptr) broken->push_back(std::move(sentence));
    return false;
  }
};

// --- reading ---

Result<std::unique_ptr<ValueRules>> ValueRules::read(const JsonValue& schema) {
  auto rules = std::make_unique<ValueRules>();
  if (const auto type = schema.find("type")) TENON_TRY(rules->read_types(*type));
  TENON_TRY(rules->read_allowed(schema));
  TENON_TRY(rules->read_numbers(schema));
  TENON_TRY(rules->read_texts(schema));
  if (const auto unique = schema.find("uniqueItems")) {
    if (!unique->as_bool()) return unique->mismatch("true or false");
    rules->unique_items_ = *unique->as_bool();
  }
  return rules;
}

Status ValueRules::read_types(const JsonValue& value) {
  const auto add = [this](const JsonValue& name) -> Status {
    for (const TypeName& type : kTypeNames) {
      if (name.as_string() != type.name) continue;
      types_ |= type.bits;
      return {};
    }
    return name.mismatch("null, boolean, integer, number, string, array or object");
  };
  if (!value.is_array()) return add(value);
  if (value.size() == 0) return value.mismatch("at least one type");
  for (const JsonValue& name : value.elements()) TENON_TRY(add(name));
  return {};
}

Status ValueRules::read_allowed(const JsonValue& schema) {
  const auto list = schema.find("enum");
  const auto single = schema.find("const");
  if (!list && !single) return {};
  if (list && !list->is_array()) return list->mismatch("an array of values");
  simdjson::dom::parser parser;
  const auto add = [&](const JsonValue& value) -> Status {
    const std::string json = value.to_json();
    simdjson::dom::element parsed;
    if (parser.parse(json).get(parsed) != simdjson::SUCCESS)
      return value.problem("holds a number outside of what JSON knows");
    allowed_.push_back(canonical_json(parsed));
    if (!allowed_text_.empty()) allowed_text_ += ", ";
    allowed_text_ += allowed_text_.size() < 200 ? json : "…";
    return {};
  };
  limits_values_ = true;
  if (single) TENON_TRY(add(*single));  // with both, the stricter one decides
  if (list && !single)
    for (const JsonValue& value : list->elements()) TENON_TRY(add(value));
  if (allowed_.size() > 1) allowed_text_.insert(0, "one of ");
  return {};
}

Status ValueRules::read_numbers(const JsonValue& schema) {
  // Draft 4 has exclusiveMinimum and exclusiveMaximum as booleans that sharpen their neighbours.
  for (const auto& [keyword, bound, strict] :
       {std::tuple("minimum", &minimum_, &above_), std::tuple("maximum", &maximum_, &below_)}) {
    auto number = read_number(schema, keyword);
    if (!number.ok()) return std::move(number).error();
    *bound = *number;
    const std::string exclusive = keyword == std::string_view("minimum") ? "exclusiveMinimum" : "exclusiveMaximum";
    const auto value = schema.find(exclusive);
    if (value && value->as_bool()) {
      if (*value->as_bool()) std::swap(*bound, *strict);
      continue;
    }
    auto limit = read_number(schema, exclusive);
    if (!limit.ok()) return std::move(limit).error();
    *strict = *limit;
  }
  auto divisor = read_number(schema, "multipleOf");
  if (!divisor.ok()) return std::move(divisor).error();
  multiple_of_ = *divisor;
  if (multiple_of_ && !(*multiple_of_ > 0)) return schema.find("multipleOf")->mismatch("a number above 0");
  return {};
}

Status ValueRules::read_texts(const JsonValue& schema) {
  auto min_length = read_count(schema, "minLength");
  if (!min_length.ok()) return std::move(min_length).error();
  auto max_length = read_count(schema, "maxLength");
  if (!max_length.ok()) return std::move(max_length).error();
  min_length_ = *min_length;
  max_length_ = *max_length;
  if (const auto format = schema.find("format")) {
    if (!format->is_string()) return format->mismatch("the name of a format");
    if (format->as_string() == "date-time") format_ = Format::date_time;
    if (format->as_string() == "date") format_ = Format::date;
    if (format->as_string() == "time") format_ = Format::time;
  }
  const auto pattern = schema.find("pattern");
  if (!pattern) return {};
  if (!pattern->is_string()) return pattern->mismatch("a regular expression");
  auto compiled = TextPattern::compile(*pattern->as_string());
  if (!compiled.ok()) return pattern->mismatch(compiled.error().message);
  pattern_.emplace(std::move(*compiled));
  return {};
}

// --- checking ---

bool ValueRules::check(simdjson::dom::element value, std::vector<std::string>* broken) const {
  Report report{broken};
  const unsigned type = type_of(value);
  if (!check_type(type, report)) return false;  // what else it breaks follows from that
  bool valid = true;
  if (limits_values_ && std::find(allowed_.begin(), allowed_.end(), canonical_json(value)) == allowed_.end())
    valid = report.fails("expected " + allowed_text_);
  if (type == kString) valid &= check_string(value.get_string().value_unsafe(), report);
  if (type == kInteger || type == kNumber) valid &= check_number(number_of(value), report);
  if (type == kArray && unique_items_) valid &= check_unique(value.get_array().value_unsafe(), report);
  return valid;
}

bool ValueRules::check_text(std::string_view text, std::vector<std::string>* broken) const {
  Report report{broken};
  if (!check_type(kString, report)) return false;
  const std::string form = 's' + std::to_string(text.size()) + ':' + std::string(text);
  if (limits_values_ && std::find(allowed_.begin(), allowed_.end(), form) == allowed_.end())
    return report.fails("expected " + allowed_text_);
  return check_string(text, report);
}

bool ValueRules::check_type(unsigned type, Report& report) const {
  if (types_ == 0 || (types_ & type) != 0) return true;
  std::string expected;
  for (const TypeName& name : kTypeNames) {
    if ((types_ & name.bits) != name.bits) continue;
    if (name.bits == kInteger && (types_ & kNumber) != 0) continue;
    if (!expected.empty()) expected += " or ";
    expected += name.article;
  }
  return report.fails("expected " + expected);
}

bool ValueRules::check_number(long double number, Report& report) const {
  bool valid = true;
  if (minimum_ && number < *minimum_) valid = report.fails("expected at least " + to_text(*minimum_));
  if (maximum_ && number > *maximum_) valid = report.fails("expected at most " + to_text(*maximum_));
  if (above_ && number <= *above_) valid = report.fails("expected more than " + to_text(*above_));
  if (below_ && number >= *below_) valid = report.fails("expected less than " + to_text(*below_));
  if (multiple_of_) {
    // The nearest whole quotient must give the number back: 0.3 is a multiple of 0.1 although neither is exact.
    const long double quotient = std::round(number / *multiple_of_);
    const long double error = std::abs(number - quotient * *multiple_of_);
    if (!(error <= std::abs(number) * 1e-15L)) valid = report.fails("expected a multiple of " + to_text(*multiple_of_));
  }
  return valid;
}

bool ValueRules::check_string(std::string_view text, Report& report) const {
  bool valid = true;
  if (min_length_ || max_length_) {
    const std::size_t length = count_characters(text);
    if (min_length_ && length < *min_length_)
      valid = report.fails("expected at least " + std::to_string(*min_length_) + " characters");
    if (max_length_ && length > *max_length_)
      valid = report.fails("expected at most " + std::to_string(*max_length_) + " characters");
  }
  if (pattern_ && !pattern_->found_in(text))
    valid = report.fails("expected a match of the pattern " + quote_for_message(pattern_->text(), 80));
  return valid && check_format(text, report);
}

bool ValueRules::check_format(std::string_view text, Report& report) const {
  // Outside of what a WallTime holds a time is well-formed all the same.
  const auto is_time = [](const std::string& whole) {
    const auto time = parse_rfc3339(whole);
    return time.ok() || time.error().code == errc::invalid_argument;
  };
  if (format_ == Format::none) return true;
  if (text.size() > 64) return report.fails("expected a date or a time (RFC 3339)");
  switch (format_) {
    case Format::none: break;
    case Format::date_time:
      if (!is_time(std::string(text)))
        return report.fails("expected a date-time (RFC 3339), such as 2026-05-04T10:11:12Z");
      break;
    case Format::date:
      if (text.size() != 10 || !is_time(std::string(text) + "T00:00:00Z"))
        return report.fails("expected a date (RFC 3339), such as 2026-05-04");
      break;
    case Format::time:
      // A day on which a leap second may be.
      if (!is_time("2016-12-31T" + std::string(text)))
        return report.fails("expected a time (RFC 3339), such as 10:11:12Z");
      break;
  }
  return true;
}

bool ValueRules::check_unique(simdjson::dom::array array, Report& report) const {
  std::unordered_set<std::string> seen;
  std::size_t index = 0;
  for (const simdjson::dom::element item : array) {
    if (!seen.insert(canonical_json(item)).second)
      return report.fails("expected no value twice, but the one at index " + std::to_string(index) +
                          " was there before");
    ++index;
  }
  return true;
}

}  // namespace tenon::message
