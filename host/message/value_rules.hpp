// The rules of a JSON Schema that look at one value alone: type, enum, const, bounds, lengths, pattern, format,
// uniqueItems.
//
// They are checked here and not by valijson, because there (1.0): errors name neither the value nor what was expected;
// `multipleOf` divides by zero and takes 2.5 for a multiple of 2; `uniqueItems` compares each with each; `pattern` and
// `format` run std::regex with its recursion and exponential backtracking on text of any length; `format` throws for
// values that are no strings; lengths stop at the first NUL.
//
// Formats known: date-time, date, time; others are annotations. [any], immutable once made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "common/json_document.hpp"
#include "message/text_pattern.hpp"

namespace tenon::message {

class ValueRules {
 public:
  // From one schema object. The error names file, line and keyword.
  static Result<std::unique_ptr<ValueRules>> read(const JsonValue& schema);

  // Whether the value keeps all rules. `broken`, unless null, gets a sentence ("expected …") for each that it breaks.
  bool check(simdjson::dom::element value, std::vector<std::string>* broken) const;
  // The same for the name of a member (propertyNames).
  bool check_text(std::string_view text, std::vector<std::string>* broken) const;

 private:
  enum class Format : std::uint8_t { none, date_time, date, time };
  struct Report;

  Status read_types(const JsonValue& value);
  Status read_allowed(const JsonValue& schema);
  Status read_numbers(const JsonValue& schema);
  Status read_texts(const JsonValue& schema);
  bool check_type(unsigned type, Report& report) const;
  bool check_number(long double number, Report& report) const;
  bool check_string(std::string_view text, Report& report) const;
  bool check_format(std::string_view text, Report& report) const;
  bool check_unique(simdjson::dom::array array, Report& report) const;

  unsigned types_ = 0;  // bits of the types allowed; 0: all
  bool limits_values_ = false;
  std::vector<std::string> allowed_;  // enum or const, in canonical form
  std::string allowed_text_;
  std::optional<long double> minimum_, maximum_, above_, below_, multiple_of_;
  std::optional<std::uint64_t> min_length_, max_length_;
  std::optional<TextPattern> pattern_;
  Format format_ = Format::none;
  bool unique_items_ = false;
};

// One text for all spellings of a value: members sorted, numbers by value, so 1 and 1.0 are one. For comparing.
std::string canonical_json(simdjson::dom::element value);

}  // namespace tenon::message
